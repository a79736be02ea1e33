use super::*;

/// A home, and a folder with three files.
struct World {
    dir: tempfile::TempDir,
}

const OLD: [&str; 3] = ["a\r\n", "\u{feff}b", ""];
const NEW: [&str; 3] = ["A\r\n", "\u{feff}B\n", "C"];

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        let world = Self { dir };
        for (index, text) in OLD.iter().enumerate() {
            fs::write(world.file(index), text).unwrap();
        }
        world
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn folders(&self) -> [PathBuf; 1] {
        [self.dir.path().to_owned()]
    }

    fn file(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("work/{index}"))
    }

    fn texts(&self) -> Vec<String> {
        (0..3).map(|index| fs::read_to_string(self.file(index)).unwrap()).collect()
    }

    fn writes(&self) -> Vec<NewText> {
        let write = |(index, (old, new)): (usize, (&&str, &&str))| NewText {
            path: self.file(index),
            now: Some(Lines::new(*old)),
            new: Some((*new).to_owned()),
            mode_of: None,
        };
        OLD.iter().zip(&NEW).enumerate().map(write).collect()
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        assert_eq!(fs::read_dir(self.dir.path().join("work")).unwrap().count(), 3);
        assert_eq!(fs::read_dir(folder(&self.home())).unwrap().count(), 0);
    }
}

#[test]
fn several_files_are_written_at_once() {
    let world = World::new();
    replace_all(&world.home(), &world.folders(), world.writes()).unwrap();
    assert_eq!(world.texts(), NEW);
    world.assert_nothing_left();
}

#[test]
fn a_crash_between_any_two_steps_leaves_all_or_none() {
    let mut ends = Vec::new();
    for crash_after in 0.. {
        let world = World::new();
        let mut transaction = Transaction::new(&world.home(), &world.folders(), world.writes()).unwrap();
        let mut done = false;
        for _ in 0..crash_after {
            done = transaction.step().unwrap();
        }
        drop(transaction);
        recover(&world.home());
        let texts = world.texts();
        assert!(texts == OLD || texts == NEW, "after {crash_after} steps: {texts:?}");
        ends.push(texts == NEW);
        if crash_after > 0 {
            world.assert_nothing_left();
        }
        if done {
            break;
        }
    }
    // Prepare, three writes and the commit come before any of it is to be seen after a crash.
    assert_eq!(ends.iter().position(|all| *all), Some(5));
    assert!(ends.is_sorted() && ends.len() == 10, "{ends:?}");
}

#[test]
fn a_file_that_changes_in_between_is_not_overwritten_and_the_others_are_put_back() {
    for change_after in 0..8 {
        let world = World::new();
        let mut transaction = Transaction::new(&world.home(), &world.folders(), world.writes()).unwrap();
        for _ in 0..change_after {
            assert!(!transaction.step().unwrap());
        }
        fs::write(world.file(2), "theirs").unwrap();
        let error = std::iter::repeat_with(|| transaction.step()).find_map(Result::err).unwrap();
        assert!(matches!(error, FileError::Changed(_)), "after {change_after}: {error}");
        assert_eq!(world.texts(), [OLD[0], OLD[1], "theirs"], "after {change_after}");
        world.assert_nothing_left();
    }
}

#[test]
fn recovery_does_not_overwrite_what_changed_after_the_crash() {
    let world = World::new();
    let mut transaction = Transaction::new(&world.home(), &world.folders(), world.writes()).unwrap();
    for _ in 0..5 {
        transaction.step().unwrap();
    }
    drop(transaction);
    fs::write(world.file(1), "theirs").unwrap();
    recover(&world.home());
    assert_eq!(world.texts(), [NEW[0], "theirs", NEW[2]]);
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn mode_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let world = World::new();
    fs::set_permissions(world.file(0), fs::Permissions::from_mode(0o751)).unwrap();
    let link = world.dir.path().join("link");
    symlink(world.file(0), &link).unwrap();
    let write = NewText {
        path: link.clone(),
        now: Some(Lines::new(OLD[0])),
        new: Some("new".to_owned()),
        mode_of: None,
    };
    replace_all(&world.home(), &world.folders(), vec![write]).unwrap();
    assert_eq!(fs::read_to_string(world.file(0)).unwrap(), "new");
    assert_eq!(fs::metadata(world.file(0)).unwrap().permissions().mode() & 0o777, 0o751);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_left_alone_and_so_are_the_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    fs::set_permissions(world.file(1), fs::Permissions::from_mode(0o444)).unwrap();
    let error = replace_all(&world.home(), &world.folders(), world.writes()).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(world.texts(), OLD);
    world.assert_nothing_left();
}

/// Two files to come, one in a folder that has to be made, and one to go.
fn comings_and_goings(world: &World) -> Vec<NewText> {
    let file = |path: PathBuf, now: Option<&str>, new: Option<&str>| NewText {
        path,
        now: now.map(Lines::new),
        new: new.map(str::to_owned),
        mode_of: None,
    };
    vec![
        file(world.dir.path().join("work/deep/er/new"), None, Some("new\n")),
        file(world.file(1), Some(OLD[1]), None),
        file(world.file(0), Some(OLD[0]), Some(NEW[0])),
        file(world.dir.path().join("work/empty"), None, Some("")),
    ]
}

/// What is in the folder, by name.
fn tree(world: &World) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![world.dir.path().join("work")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(world.dir.path()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn files_come_and_go_all_or_none_wherever_a_crash_comes() {
    let before = tree(&World::new());
    let world = World::new();
    replace_all(&world.home(), &world.folders(), comings_and_goings(&world)).unwrap();
    let after = tree(&world);
    let names: Vec<&str> = after.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["work/0", "work/2", "work/deep/er/new", "work/empty"]);
    let mut ends = Vec::new();
    for steps in 0.. {
        let world = World::new();
        let mut transaction =
            Transaction::new(&world.home(), &world.folders(), comings_and_goings(&world)).unwrap();
        let done = (0..steps).any(|_| transaction.step().unwrap());
        // The process is gone here; what it held in memory with it.
        drop(transaction);
        recover(&world.home());
        let now = tree(&world);
        assert!(now == before || now == after, "after {steps} steps: {now:?}");
        ends.push(now == after);
        if done {
            break;
        }
    }
    assert!(ends.is_sorted() && !ends[0] && ends[ends.len() - 1], "{ends:?}");
}

#[test]
fn a_file_that_somebody_else_has_made_stops_all_and_stays() {
    let world = World::new();
    let before = tree(&world);
    let mut transaction =
        Transaction::new(&world.home(), &world.folders(), comings_and_goings(&world)).unwrap();
    let theirs = world.dir.path().join("work/empty");
    let mut refused = None;
    for step in 0.. {
        if step == 6 {
            fs::write(&theirs, "theirs").unwrap();
        }
        match transaction.step() {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => {
                refused = Some(error.to_string());
                break;
            }
        }
    }
    assert!(refused.is_some_and(|error| error.contains("is there already")));
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    fs::remove_file(&theirs).unwrap();
    assert_eq!(tree(&world), before);
}

#[test]
fn a_write_that_another_process_is_about_is_left_to_it() {
    let world = World::new();
    let mut transaction = Transaction::new(&world.home(), &world.folders(), world.writes()).unwrap();
    for _ in 0..6 {
        transaction.step().unwrap();
        recover(&world.home());
    }
    while !transaction.step().unwrap() {}
    assert_eq!(world.texts(), NEW);
    world.assert_nothing_left();
}

#[test]
fn a_server_that_starts_does_not_end_what_another_one_is_writing() {
    let world = World::new();
    let ended = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    recover(&world.home());
                }
            });
        }
        let results: Vec<_> = (0..400)
            .map(|_| {
                let there: Vec<Lines> = world.texts().into_iter().map(Lines::new).collect();
                let mut texts = world.writes();
                for ((text, now), (old, new)) in texts.iter_mut().zip(there).zip(OLD.iter().zip(&NEW)) {
                    text.new = Some(if **now.text() == **new { *old } else { *new }.to_owned());
                    text.now = Some(now);
                }
                replace_all(&world.home(), &world.folders(), texts)
            })
            .collect();
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    world.assert_nothing_left();
}
