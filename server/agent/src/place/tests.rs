#![cfg(target_os = "linux")]

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use kkcode_core::lines::Lines;

use super::*;
use crate::file;
use crate::write::{NewText, replace_all};

#[test]
fn no_link_is_followed_on_the_way_by_either_road() {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/b/x"), "x").unwrap();
    symlink("a", root.join("link")).unwrap();
    symlink("x", root.join("a/b/y")).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for open in [open_folder, |path: &Path| walk(path, OFlags::RDONLY | OFlags::DIRECTORY)] {
        assert!(open(&root.join("a/b")).is_ok());
        assert!(open(&root.join("link/b")).is_err());
        assert!(open(&root.join("link")).is_err());
        assert!(open(&root.join("a/b/x")).is_err());
    }
    assert!(walk(&root.join("a/../a"), flags).is_err());
    assert!(Place::at(&root.join("a/b/x")).unwrap().open().is_ok());
    assert!(Place::at(&root.join("a/b/y")).unwrap().open().is_err());
    assert!(Place::at(&root.join("link/b/x")).is_err());
    assert!(Place::at(Path::new("x")).is_err());
}

/// A workspace with a folder that is now one of its own, now a link that leads out of it, until the value is dropped.
struct Swapped {
    dir: tempfile::TempDir,
    stop: std::sync::Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Swapped {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_owned();
        for folder in ["work/sub", "outside"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("work/sub/x"), "inside\n").unwrap();
        fs::write(root.join("outside/x"), "inside\n").unwrap();
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                use rustix::fs::{CWD, RenameFlags, renameat_with};
                let (sub, link) = (root.join("work/sub"), root.join("work/link"));
                symlink(root.join("outside"), &link).unwrap();
                for swap in 1_u64.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    renameat_with(CWD, &sub, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                    // On a busy machine too, each of the two is there for the length of a whole write at times.
                    if swap % 64 < 2 {
                        std::thread::sleep(std::time::Duration::from_millis(3));
                    }
                }
            }
        });
        Self { dir, stop, thread: Some(thread) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Swapped {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let joined = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || joined.is_some_and(|joined| joined.is_ok()));
    }
}

#[test]
fn p06_a_link_that_is_put_in_the_way_of_a_read_leads_nowhere() {
    let world = Swapped::new();
    fs::write(world.path("outside/x"), "secret\n").unwrap();
    let folders = [world.path("work")];
    let (mut read, mut refused) = (0, 0);
    while read + refused < 20_000 || read == 0 || refused == 0 {
        match file::read(&world.path("work/sub/x"), &folders) {
            Ok(text) => {
                assert_eq!(text, "inside\n");
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
}

#[test]
fn p06_a_link_that_is_put_in_the_way_of_a_write_leads_nowhere() {
    let world = Swapped::new();
    let (folders, home) = ([world.path("work")], world.path("home"));
    let change = |path: &str, now: Option<&str>, new: Option<&str>| NewText {
        path: world.path(path),
        now: now.map(Lines::new),
        new: new.map(str::to_owned),
        mode_of: None,
    };
    let (mut written, mut refused) = (0, 0);
    while written + refused < 1_200 || written == 0 || refused == 0 {
        // The same text stands outside: nothing but the place can stop the write.
        for changes in [
            vec![change("work/sub/x", Some("inside\n"), Some("changed\n"))],
            vec![change("work/sub/x", Some("changed\n"), Some("inside\n"))],
            vec![change("work/sub/new", None, Some("new\n"))],
            vec![change("work/sub/new", Some("new\n"), None)],
        ] {
            match replace_all(&home, &folders, changes) {
                Ok(()) => written += 1,
                Err(_) => refused += 1,
            }
        }
    }
    let left: Vec<String> = fs::read_dir(world.path("outside"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["x"]);
    assert_eq!(fs::read_to_string(world.path("outside/x")).unwrap(), "inside\n");
}

#[test]
fn what_has_become_a_link_is_neither_listed_nor_opened() {
    let keep = tempfile::tempdir().unwrap();
    let dir = keep.path().canonicalize().unwrap();
    for folder in ["ws/src", "outside"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        fs::write(dir.join(folder).join("a"), folder).unwrap();
    }
    let (folder, file) = (dir.join("ws/src"), dir.join("ws/src/a"));
    assert_eq!(super::names(&folder).unwrap(), [("a".into(), false)]);
    assert_eq!(io::read_to_string(super::open(&file).unwrap()).unwrap(), "ws/src");
    fs::rename(&folder, dir.join("ws/away")).unwrap();
    std::os::unix::fs::symlink(dir.join("outside"), &folder).unwrap();
    assert!(super::names(&folder).is_err() && super::open(&file).is_err());
    fs::remove_file(&folder).unwrap();
    fs::rename(dir.join("ws/away"), &folder).unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(dir.join("outside/a"), &file).unwrap();
    assert!(super::open(&file).is_err());
}
