//! Files and folders that are not what they should be: refused in words, never overwritten, and forgotten once mended.

use std::fs;

use super::*;
use crate::open::open_on;

/// Makes a store with some content and closes it.
fn filled(home: &TempDir) -> Store {
    let store = store(home);
    let (hash, lines) = text(&"line\n".repeat(10_000));
    commit(&store, small(Some("/w"), "/w/x"), vec![changed("p")]).unwrap();
    commit(&store, vec![Record::Text(hash, lines)], vec![]).unwrap();
    close(&store);
    store
}

/// Asserts that neither reading nor writing works, and that both leave the file alone.
#[track_caller]
fn assert_refused(store: &Store, home: &TempDir, wanted: impl Fn(&StoreError) -> bool) {
    let before = fs::read(database_of(home)).unwrap();
    for error in [
        commit(store, vec![], vec![changed("p")]).unwrap_err(),
        load(store, &["/w"]).unwrap_err(),
        wait(|done| store.messages(SessionId::new("s"), done)).unwrap_err(),
    ] {
        assert!(wanted(&error), "{error:?}");
        let file = database_of(home).display().to_string();
        assert!(error.to_string().contains(&file), "it names the file: {error}");
    }
    assert!(fs::read(database_of(home)).unwrap() == before, "it is left as it was");
}

#[test]
fn a_damaged_file_is_moved_aside_and_what_can_be_read_is_carried_over() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("64 odd bytes in the second page", |bytes| {
            for (byte, odd) in bytes[4096..4160].iter_mut().zip(0_u8..) {
                *byte = odd.wrapping_mul(173).wrapping_add(41);
            }
        }),
        ("no header", |bytes| bytes[..16].fill(0)),
        ("half of it", |bytes| bytes.truncate(bytes.len() / 2)),
        ("a text", |bytes| *bytes = "this is no database, but somebody's notes\n".repeat(100).into()),
        ("a few bytes", |bytes| *bytes = b"notes".to_vec()),
    ];
    for (name, damage) in damages {
        println!("{name}");
        let home = home();
        let store = filled(&home);
        let mut bytes = fs::read(database_of(&home)).unwrap();
        damage(&mut bytes);
        fs::write(database_of(&home), &bytes).unwrap();
        let loaded = load(&store, &["/w"]).unwrap();
        let notice = loaded.notices.join("\n");
        assert!(notice.contains("was damaged") && notice.contains("missing of"), "{notice}");
        let aside = notice.split('`').nth(1).unwrap();
        assert!(fs::read(aside).unwrap() == bytes, "it is left as it was, elsewhere");
        assert_eq!(raw(&home).query_row("PRAGMA foreign_key_check", [], |_| Ok(())).ok(), None);
        let seq = commit(&store, vec![], vec![changed("p")]).unwrap()[0];
        assert!(seq > 1_000_000, "no number is given twice: {seq}");
        assert!(load(&store, &["/w"]).unwrap().notices.is_empty(), "said once");
    }
}

#[test]
fn damage_that_shows_while_the_store_is_in_use_is_mended_when_it_is_opened_again() {
    let home = home();
    let store = filled(&home);
    with_connection(&store, |connection| {
        connection.execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET rootpage = 1000 WHERE name = 'event';
             PRAGMA writable_schema = RESET;",
        )
    })
    .unwrap();
    let error = commit(&store, vec![], vec![changed("p")]).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    let loaded = load(&store, &["/w"]).unwrap();
    assert!(loaded.notices[0].contains("missing of: event"), "{:?}", loaded.notices);
    assert_eq!(loaded.known.turns.len(), 1, "the rest is here");
}

#[test]
fn rows_that_make_no_sense_are_damage() {
    let home = home();
    let store = filled(&home);
    raw(&home).execute("UPDATE turn SET status = 'soon'", []).unwrap();
    let error = load(&store, &["/w"]).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}

#[test]
fn the_database_of_another_program_is_refused() {
    let home = home();
    fs::create_dir(home.path().join("home")).unwrap();
    raw(&home).execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert_refused(&store(&home), &home, |error| matches!(error, StoreError::Damaged { .. }));
    raw(&home).pragma_update(None, "user_version", -1).unwrap();
    assert_refused(&store(&home), &home, |error| matches!(error, StoreError::Damaged { .. }));
}

#[test]
fn a_newer_format_is_refused_and_left_alone_with_its_log() {
    let home = home();
    let store = filled(&home);
    let ours = crate::schema::known_version();
    let newer =
        |error: &StoreError| matches!(error, StoreError::Newer { found: 99, known, .. } if *known == ours);
    raw(&home).pragma_update(None, "user_version", 99).unwrap();
    assert_refused(&store, &home, newer);
    raw(&home).pragma_update(None, "user_version", ours).unwrap();

    // The newer version was killed: what it wrote is in the log only.
    let other = raw(&home);
    other.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let log = database_of(&home).with_extension("db-wal");
    let before = fs::read(&log).unwrap();
    assert!(!before.is_empty());
    assert_refused(&store, &home, newer);
    assert!(fs::read(&log).unwrap() == before);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let home = home();
    let store = store(&home);
    fs::write(home.path().join("home"), "a file").unwrap();
    for error in [commit(&store, vec![], vec![]).unwrap_err(), load(&store, &[]).unwrap_err()] {
        assert!(matches!(&error, StoreError::Io { .. }), "{error:?}");
        assert!(error.to_string().contains(&home.path().join("home").display().to_string()), "{error}");
    }
    fs::remove_file(home.path().join("home")).unwrap();
    fs::create_dir_all(database_of(&home)).unwrap();
    for error in [commit(&store, vec![], vec![]).unwrap_err(), load(&store, &[]).unwrap_err()] {
        assert_eq!(error, StoreError::io(&database_of(&home), &"it is not a file"));
    }
    fs::remove_dir(database_of(&home)).unwrap();
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![1]), "the way is free");
}

#[cfg(unix)]
#[test]
fn home_and_database_are_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let store = Store::new(home.path().join("deep/home"));
    commit(&store, vec![], vec![changed("p")]).unwrap();
    let mode =
        |path: &str| fs::metadata(home.path().join("deep").join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("home"), 0o700);
    for file in ["home/state.db", "home/state.db-wal", "home/state.db-shm"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_written_is_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    if rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: root may write everything");
        return;
    }
    let home = home();
    let store = filled(&home);
    let allow = |mode: u32| {
        fs::set_permissions(database_of(&home), fs::Permissions::from_mode(mode)).unwrap();
        close(&store);
    };
    allow(0o400);
    let refused = commit(&store, vec![], vec![changed("p")]);
    assert_eq!(refused, Err(StoreError::ReadOnly { file: database_of(&home) }));
    assert_eq!(load(&store, &["/w"]).unwrap().known.proposals.len(), 1, "it can still be read");
    allow(0o600);
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![2]));

    let folder = home.path().join("closed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    for store in [Store::new(folder.clone()), Store::new(folder.join("home"))] {
        let error = commit(&store, vec![], vec![]).unwrap_err();
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    }
}

#[test]
fn a_store_that_is_deleted_while_in_use_begins_anew() {
    let home = home();
    let first = store(&home);
    commit(&first, small(Some("/w"), "/w/x"), vec![changed("p")]).unwrap();
    fs::remove_dir_all(home.path().join("home")).unwrap();
    assert_eq!(load(&first, &["/w"]).unwrap(), Loaded::default());
    assert_eq!(commit(&first, vec![], vec![changed("p")]), Ok(vec![1]));
    fs::remove_dir_all(home.path().join("home")).unwrap();
    assert_eq!(commit(&first, small(Some("/w"), "/w/x"), vec![]), Ok(vec![]));
    assert_eq!(load(&store(&home), &["/w"]).unwrap().known.proposals.len(), 1, "and others see it");
}

#[test]
fn on_a_network_file_system_there_is_no_shared_memory_or_no_store() {
    let home = home();
    let store = filled(&home);
    let file = database_of(&home);
    {
        let opened = open_on(&file, Some("nfs")).unwrap();
        let pragma = |name| opened.connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        assert_eq!(pragma("journal_mode").unwrap(), "delete");
        let extra: u8 = opened.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(extra, 3);
    }
    assert!(!file.with_extension("db-wal").exists());
    // Another one has it open in its way.
    commit(&store, vec![], vec![changed("p")]).unwrap();
    let refused = open_on(&file, Some("nfs")).unwrap_err();
    assert_eq!(refused, StoreError::NetworkFilesystem { file, kind: "nfs" });
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![3]));
}

#[test]
fn the_settings_are_those_that_make_commits_durable() {
    let home = home();
    let store = filled(&home);
    let settings = with_connection(&store, |connection| {
        ["synchronous", "foreign_keys", "trusted_schema", "cell_size_check", "wal_autocheckpoint"]
            .iter()
            .map(|name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0)))
            .collect::<rusqlite::Result<Vec<_>>>()
    });
    assert_eq!(settings, Ok(vec![2, 1, 0, 1, 1000]));
    let mode = with_connection(&store, |connection| {
        connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
    });
    assert_eq!(mode.as_deref(), Ok("wal"));
}

#[cfg(target_os = "linux")]
#[test]
fn network_file_systems_are_known_by_their_numbers() {
    use crate::open::name_of_network_filesystem as name;
    assert_eq!(
        [0x6969, 0xff53_4d42, 0x0102_1997, 0x6573_5546].map(name),
        [Some("nfs"), Some("cifs"), Some("9p"), Some("fuse")]
    );
    // ext4, btrfs, tmpfs, overlayfs
    assert_eq!([0xef53, 0x9123_683e, 0x0102_1994, 0x794c_7630].map(name), [None; 4]);
}
