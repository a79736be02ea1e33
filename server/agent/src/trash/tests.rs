#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

struct World {
    dir: tempfile::TempDir,
    trash: Trash,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("work");
        fs::create_dir_all(work.join("deep/er")).unwrap();
        fs::write(work.join("deep/a.bin"), [0, 159, 146, 150]).unwrap();
        fs::write(work.join("deep/er/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(work.join("deep/er/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("er/run.sh", work.join("deep/link")).unwrap();
        let trash = Trash::of(&dir.path().join("home"));
        Self { dir, trash }
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join("work").join(name)
    }

    fn place(&self, name: &str) -> Place {
        Place::at(&self.path(name)).unwrap()
    }

    /// What is below a folder: names, modes, contents.
    fn tree(&self, name: &str) -> Vec<(PathBuf, u32, Vec<u8>)> {
        let (root, mut open, mut found) = (self.path(name), vec![self.path(name)], Vec::new());
        while let Some(path) = open.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.push((
                path.strip_prefix(&root).unwrap().to_owned(),
                metadata.permissions().mode(),
                content,
            ));
        }
        found.sort();
        found
    }
}

#[test]
fn a_folder_goes_and_comes_back_as_it_was() {
    let world = World::new();
    let before = world.tree("deep");
    let id = world.trash.take(&world.place("deep")).unwrap();
    assert!(!world.path("deep").exists());
    let mode = fs::metadata(world.dir.path().join("home/trash")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let list = world.trash.list().unwrap();
    assert_eq!((list.len(), &list[0].id, &list[0].path), (1, &id, &world.path("deep")));
    assert!(list[0].is_folder && list[0].bytes > 10);
    assert_eq!(world.trash.restore(&id).unwrap(), world.path("deep"));
    assert_eq!(world.tree("deep"), before);
    assert_eq!(world.trash.list().unwrap(), []);
}

#[test]
fn a_folder_that_goes_to_another_disk_is_copied_whole_or_stays() {
    let world = World::new();
    let before = world.tree("deep");
    let what = world.place("copy");
    take_across(&world.place("deep"), &what).unwrap();
    assert!(!world.path("deep").exists());
    assert_eq!(world.tree("copy"), before);
    // There is something in the way: the copy fails, and all is as before.
    fs::create_dir(world.path("deep")).unwrap();
    fs::write(world.path("deep/x"), "x").unwrap();
    assert!(take_across(&world.place("deep"), &what).is_err());
    assert_eq!(fs::read_to_string(world.path("deep/x")).unwrap(), "x");
    assert_eq!(fs::read_dir(world.path("")).unwrap().count(), 2);
}

#[test]
fn nothing_is_restored_over_something_else() {
    let world = World::new();
    let id = world.trash.take(&world.place("deep/er/run.sh")).unwrap();
    fs::write(world.path("deep/er/run.sh"), "mine").unwrap();
    let error = world.trash.restore(&id).unwrap_err();
    assert!(error.to_string().contains("is there again"), "{error}");
    fs::remove_dir_all(world.path("deep")).unwrap();
    world.trash.restore(&id).unwrap();
    assert_eq!(fs::read_to_string(world.path("deep/er/run.sh")).unwrap(), "#!/bin/sh\n");
    for id in ["trash_none", "../home", "", "."] {
        assert!(world.trash.restore(id).unwrap_err().to_string().contains("is not in the trash"));
    }
}

#[test]
fn what_is_old_goes_for_good_and_what_came_last_stays() {
    let world = World::new();
    let mut ids = Vec::new();
    for index in 0..=MOST.0 {
        let id = format!("trash_{index:05}");
        world.trash.prepare(&id, &world.path("x")).unwrap();
        fs::write(world.trash.what(&id), "x").unwrap();
        ids.push(id);
    }
    world.trash.prune(None);
    assert_eq!(world.trash.list().unwrap().len(), MOST.0);
    let old = &ids[ids.len() - 1];
    let long_ago = Entry { path: Vec::new(), at: Timestamp(0) };
    let entry = world.dir.path().join("home/trash").join(old).join("entry.json");
    fs::write(entry, serde_json::to_string(&long_ago).unwrap()).unwrap();
    world.trash.prune(Some(old));
    assert!(world.trash.what(old).exists(), "what came last stays");
    world.trash.prune(None);
    assert!(!world.trash.what(old).exists());
}
