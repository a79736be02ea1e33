use std::fs;

use kkcode_core::turn::Level;
use serde_json::json;

use crate::tool::tests::World;
use crate::trash::Trash;

fn world() -> World {
    let world = World::new(&[("x.txt", "one\n"), ("dir/a.txt", "a\n"), ("dir/deep/b.txt", "b\n")]);
    fs::write(world.path("dir/raw.bin"), [0, 159, 146]).unwrap();
    fs::create_dir(world.path("empty")).unwrap();
    world
}

#[test]
fn a_text_file_is_gone_for_the_session_and_still_on_the_disk() {
    let mut world = world();
    let note = world.call("remove", json!({"path": "x.txt"})).unwrap();
    assert!(note.contains("x.txt is gone then"), "{note}");
    assert!(world.seen("x.txt").is_none() && world.path("x.txt").exists());
    for (tool, input) in [
        ("read", json!({"path": "x.txt"})),
        ("remove", json!({"path": "x.txt"})),
        ("move", json!({"from": "x.txt", "to": "y.txt"})),
        ("edit", json!({"path": "x.txt", "before": "one", "after": "two"})),
    ] {
        let refusal = world.call(tool, input).unwrap_err();
        assert!(refusal.contains("x.txt does not exist"), "{tool}: {refusal}");
    }
    assert!(!world.call("list", json!({})).unwrap().contains("x.txt"));
    assert_eq!(world.call("glob", json!({"pattern": "x.*"})).unwrap(), "(no file matches)");
    assert_eq!(world.call("grep", json!({"pattern": "one"})).unwrap(), "(nothing matches)");
}

#[test]
fn a_file_that_is_only_proposed_is_not_any_more() {
    let mut world = world();
    world.call("write", json!({"path": "new.txt", "content": "new\n"})).unwrap();
    let note = world.call("remove", json!({"path": "new.txt"})).unwrap();
    assert!(note.contains("was only proposed"), "{note}");
    assert!(world.seen("new.txt").is_none());
    let snapshot = world.state.snapshot();
    let open = snapshot.reviews.iter().flat_map(|review| &review.proposal.files).flat_map(|file| &file.hunks);
    assert_eq!(open.filter(|hunk| hunk.verdict.is_open()).count(), 0);
}

#[test]
fn what_is_no_text_waits_for_the_gate_and_goes_to_the_trash() {
    let mut world = world();
    let trash = Trash::of(&world.home());
    for path in ["dir/raw.bin", "empty"] {
        let refusal = world.call("remove", json!({"path": path})).unwrap_err();
        assert!(refusal.contains("waits for the gate"), "{refusal}");
        assert!(world.path(path).exists());
    }
    world.level(Level::AcceptEdits);
    let told = world.call("remove", json!({"path": "dir/raw.bin"})).unwrap();
    assert!(!world.path("dir/raw.bin").exists());
    let thrown = trash.list().unwrap().remove(0);
    assert!(told.ends_with(&format!("`kkcode-lsp trash restore {}`", thrown.id)), "{told}");
    trash.restore(&thrown.id).unwrap();
    assert_eq!(fs::read(world.path("dir/raw.bin")).unwrap(), [0, 159, 146]);

    assert!(world.call("remove", json!({"path": "dir"})).unwrap_err().contains("`recursive`"));
    world.call("remove", json!({"path": "empty"})).unwrap();
    let told = world.call("remove", json!({"path": "dir", "recursive": true})).unwrap();
    assert!(told.starts_with("removed dir with 4 files and folders in it"), "{told}");
    assert!(!world.path("dir").exists());
    trash.restore(&trash.list().unwrap()[0].id).unwrap();
    assert_eq!(fs::read_to_string(world.path("dir/deep/b.txt")).unwrap(), "b\n");

    let told = world.call("remove", json!({"path": "dir", "recursive": true, "permanent": true})).unwrap();
    assert!(told.ends_with("for good"), "{told}");
    assert!(trash.list().unwrap().iter().all(|thrown| !thrown.path.ends_with("dir")));
    fs::remove_dir_all(world.home()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_goes_and_what_it_leads_to_stays() {
    let mut world = world();
    world.level(Level::AcceptEdits);
    std::os::unix::fs::symlink("dir", world.path("link")).unwrap();
    std::os::unix::fs::symlink("x.txt", world.path("short")).unwrap();
    world.call("remove", json!({"path": "link"})).unwrap();
    world.call("remove", json!({"path": "short"})).unwrap();
    assert!(fs::symlink_metadata(world.path("link")).is_err());
    assert!(fs::symlink_metadata(world.path("short")).is_err());
    assert!(world.path("dir/a.txt").exists() && world.path("x.txt").exists());
    fs::remove_dir_all(world.home()).unwrap();
}

#[test]
fn the_workspace_itself_what_git_keeps_and_what_waits_are_not_removed_unasked() {
    let mut world = world();
    fs::create_dir_all(world.path(".git/hooks")).unwrap();
    fs::create_dir_all(world.path("sub/.git")).unwrap();
    world.level(Level::Yolo);
    let folder = world.path("");
    let mut refused =
        |path: &str| world.call("remove", json!({"path": path, "recursive": true})).unwrap_err();
    assert!(refused(".").contains("is a folder that the user works in"));
    assert!(refused(folder.to_str().unwrap()).contains("is a folder that the user works in"));
    assert!(refused("..").contains("outside of the workspace"));
    assert!(refused(".git").contains("waits for the gate"));
    // What lies deeper is judged as well.
    assert!(refused("sub").contains("waits for the gate"));
    world.call("edit", json!({"path": "dir/a.txt", "before": "a", "after": "A"})).unwrap();
    let refusal = world.call("remove", json!({"path": "dir", "recursive": true})).unwrap_err();
    assert!(refusal.contains("holds dir/a.txt, which waits for the user"), "{refusal}");
    assert!(world.path("dir").exists() && world.path(".git").exists() && !world.home().exists());
}
