use std::fs;

use kkcode_core::turn::Level;
use serde_json::json;

use crate::tool::tests::World;

fn world() -> World {
    let world = World::new(&[("x.txt", "one\ntwo\n"), ("y.txt", "why\n"), ("dir/a.txt", "a\n")]);
    fs::write(world.path("dir/raw.bin"), [0, 159, 146]).unwrap();
    world
}

fn from_to(from: &str, to: &str) -> serde_json::Value {
    json!({"from": from, "to": to})
}

#[test]
fn a_file_is_seen_at_its_new_path_by_every_tool() {
    let mut world = world();
    assert_eq!(world.call("move", from_to("x.txt", "deep/z.txt")).unwrap(), "x.txt is deep/z.txt then");
    assert_eq!(world.seen("deep/z.txt").unwrap(), "one\ntwo\n");
    assert!(world.path("x.txt").exists() && !world.path("deep").exists());
    let listed = world.call("list", json!({})).unwrap();
    assert!(listed.contains("d deep") && !listed.contains("x.txt"), "{listed}");
    assert_eq!(world.call("glob", json!({"pattern": "*.txt"})).unwrap(), "deep/z.txt\ndir/a.txt\ny.txt");
    assert_eq!(world.call("grep", json!({"pattern": "two"})).unwrap(), "deep/z.txt");
    world.call("edit", json!({"path": "deep/z.txt", "before": "two", "after": "2"})).unwrap();
    assert!(world.call("read", json!({"path": "deep/z.txt"})).unwrap().contains("2\u{2192}2"));
    // Nothing else can be done at the old path meanwhile.
    for (tool, input) in [
        ("read", json!({"path": "x.txt"})),
        ("write", json!({"path": "x.txt", "content": "new\n"})),
        ("remove", json!({"path": "x.txt"})),
    ] {
        let refusal = world.call(tool, input).unwrap_err();
        assert!(refusal.contains("by a hunk of this session; use that path"), "{tool}: {refusal}");
    }
}

#[test]
fn a_moved_file_can_go_on_come_back_and_go() {
    let mut world = world();
    world.call("move", from_to("x.txt", "z.txt")).unwrap();
    world.call("edit", json!({"path": "z.txt", "before": "two", "after": "2"})).unwrap();
    world.call("move", from_to("z.txt", "w.txt")).unwrap();
    assert_eq!(world.seen("w.txt").unwrap(), "one\n2\n");
    assert!(world.seen("z.txt").is_none());
    world.call("move", from_to("w.txt", "x.txt")).unwrap();
    assert_eq!(world.seen("x.txt").unwrap(), "one\n2\n");
    assert!(world.seen("w.txt").is_none());
    world.call("move", from_to("x.txt", "z.txt")).unwrap();
    world.call("remove", json!({"path": "z.txt"})).unwrap();
    assert!(world.seen("z.txt").is_none() && world.seen("x.txt").is_none());
}

#[test]
fn a_proposed_file_is_proposed_at_another_path() {
    let mut world = world();
    world.call("write", json!({"path": "new.txt", "content": "new\n"})).unwrap();
    world.call("move", from_to("new.txt", "newer.txt")).unwrap();
    assert!(world.seen("new.txt").is_none());
    assert_eq!(world.seen("newer.txt").unwrap(), "new\n");
}

#[test]
fn nothing_is_overwritten_unless_it_is_said() {
    let mut world = world();
    assert!(world.call("move", from_to("x.txt", "y.txt")).unwrap_err().contains("`overwrite`"));
    assert!(world.call("move", from_to("x.txt", "dir")).unwrap_err().contains("is a folder"));
    assert!(world.call("move", from_to("x.txt", "x.txt")).unwrap_err().contains("there already"));
    assert!(world.call("move", from_to("x.txt", "dir/raw.bin")).unwrap_err().contains("is no text"));
    assert!(world.call("move", from_to("none.txt", "z.txt")).unwrap_err().contains("does not exist"));
    let over = json!({"from": "x.txt", "to": "y.txt", "overwrite": true});
    world.call("move", over).unwrap();
    assert_eq!(world.seen("y.txt").unwrap(), "one\ntwo\n");
    assert!(world.seen("x.txt").is_none());
    assert_eq!(fs::read_to_string(world.path("y.txt")).unwrap(), "why\n");
}

#[test]
fn a_folder_and_what_is_no_text_move_when_the_gate_lets_them() {
    let mut world = world();
    assert!(world.call("move", from_to("dir", "folder")).unwrap_err().contains("waits for the gate"));
    world.level(Level::AcceptEdits);
    assert!(world.call("move", from_to("dir", "dir/in")).unwrap_err().contains("lies in dir itself"));
    assert!(world.call("move", from_to("dir", "y.txt")).unwrap_err().contains("there already"));
    assert!(world.call("move", from_to("dir", ".git/x")).unwrap_err().contains("waits for the gate"));
    assert_eq!(world.call("move", from_to("dir", "a/b/folder")).unwrap(), "moved dir to a/b/folder");
    assert!(!world.path("dir").exists());
    world.call("move", from_to("a/b/folder/raw.bin", "raw.bin")).unwrap();
    assert_eq!(fs::read(world.path("raw.bin")).unwrap(), [0, 159, 146]);
    assert_eq!(fs::read_to_string(world.path("a/b/folder/a.txt")).unwrap(), "a\n");
}
