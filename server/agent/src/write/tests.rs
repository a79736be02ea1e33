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

    fn file(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("work/{index}"))
    }

    fn texts(&self) -> Vec<String> {
        (0..3).map(|index| fs::read_to_string(self.file(index)).unwrap()).collect()
    }

    fn writes(&self) -> Vec<NewText> {
        let write = |(index, (old, new)): (usize, (&&str, &&str))| NewText {
            path: self.file(index),
            now: Lines::new(*old),
            new: (*new).to_owned(),
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
    replace_all(&world.home(), world.writes()).unwrap();
    assert_eq!(world.texts(), NEW);
    world.assert_nothing_left();
}

#[test]
fn a_crash_between_any_two_steps_leaves_all_or_none() {
    let mut ends = Vec::new();
    for crash_after in 0.. {
        let world = World::new();
        let mut transaction = Transaction::new(&world.home(), world.writes()).unwrap();
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
        let mut transaction = Transaction::new(&world.home(), world.writes()).unwrap();
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
    let mut transaction = Transaction::new(&world.home(), world.writes()).unwrap();
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
    let write = NewText { path: link.clone(), now: Lines::new(OLD[0]), new: "new".to_owned() };
    replace_all(&world.home(), vec![write]).unwrap();
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
    let error = replace_all(&world.home(), world.writes()).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(world.texts(), OLD);
    world.assert_nothing_left();
}
