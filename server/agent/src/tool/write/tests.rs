use serde_json::json;

use super::{inserted, overwritten};
use crate::tool::tests::World;
use kkcode_core::lines::Lines;

#[test]
fn a_new_file_is_proposed_with_its_folders() {
    let mut world = World::new(&[]);
    let note = world.call("write", json!({"path": "a/b/new.txt", "content": "one\ntwo"})).unwrap();
    assert_eq!(note, "a/b/new.txt is a new file with 2 lines");
    assert_eq!(world.seen("a/b/new.txt").unwrap(), "one\ntwo");
    assert!(!world.path("a").exists(), "nothing is written");
    // What the model wrote it knows.
    world.call("write", json!({"path": "a/b/new.txt", "content": "three\n"})).unwrap();
    world
        .call("patch", json!({"path": "a/b/new.txt", "start_line": 1, "end_line": 1, "content": "3"}))
        .unwrap();
    assert_eq!(world.seen("a/b/new.txt").unwrap(), "3\n");
    world.call("write", json!({"path": "empty", "content": ""})).unwrap();
    assert_eq!(world.seen("empty").unwrap(), "");
}

#[test]
fn what_the_model_does_not_know_is_not_overwritten() {
    let mut world = World::new(&[("x.txt", "one\ntwo\nthree\nfour\nfive\n")]);
    let write = json!({"path": "x.txt", "content": "new\n"});
    assert!(world.call("write", write.clone()).unwrap_err().contains("was not read in this turn"));
    world.call("read", json!({"path": "x.txt", "limit": 1})).unwrap();
    assert!(world.call("write", write.clone()).unwrap_err().contains("only a part"));
    world.call("edit", json!({"path": "x.txt", "before": "two", "after": "2"})).unwrap();
    assert!(
        world.call("write", write.clone()).unwrap_err().contains("only a part"),
        "an edit is no look at it"
    );
    world.call("read", json!({"path": "x.txt"})).unwrap();
    world.write("x.txt", "one\ntwo\nthree\nfour\nfive\nsix\n");
    assert!(world.call("write", write.clone()).unwrap_err().contains("not as you last saw it"));
    world.call("read", json!({"path": "x.txt"})).unwrap();
    world.call("write", write).unwrap();
    assert_eq!(world.seen("x.txt").unwrap(), "new\n");
}

#[test]
fn added_lines_are_whole_lines_with_the_files_endings() {
    let check = |old: &str, line: usize, content: &str, expected: &str| {
        assert_eq!(inserted(&Lines::new(old), line, content), expected, "{old:?} {content:?}");
    };
    check("a\nb\n", 2, "c", "a\nb\nc");
    check("a\nb", 2, "c\n", "a\nb\nc\n");
    check("a\r\nb", 2, "c\nd", "a\r\nb\r\nc\r\nd");
    check("a\nb\n", 1, "x", "a\nx\nb\n");
    check("a\r\n", 0, "x\n", "x\r\na\r\n");
    check("", 0, "x\n", "x\n");
    let mut world = World::new(&[("x.txt", "a\nb\n")]);
    world.call("read", json!({"path": "x.txt"})).unwrap();
    let insert =
        |line: usize| json!({"path": "x.txt", "content": "x\n", "mode": "insert", "insert_at_line": line});
    world.call("write", insert(3)).unwrap();
    assert!(world.call("write", insert(5)).unwrap_err().contains("has 3 lines"));
    world.call("write", json!({"path": "x.txt", "content": "y\n", "mode": "append"})).unwrap();
    assert_eq!(world.seen("x.txt").unwrap(), "a\nb\nx\ny\n");
    let lacking = json!({"path": "x.txt", "content": "x", "mode": "insert"});
    assert!(world.call("write", lacking).unwrap_err().contains("needs `insert_at_line`"));
}

#[test]
fn line_endings_change_only_when_nothing_else_does() {
    let crlf = Lines::new("a\r\nb\r\n");
    assert_eq!(overwritten(&crlf, "a\nc\n"), "a\r\nc\r\n");
    assert_eq!(overwritten(&crlf, "a\nb\n"), "a\nb\n", "then the endings are what is meant");
    assert_eq!(overwritten(&crlf, "a\r\nc\n"), "a\r\nc\n");
    assert_eq!(overwritten(&Lines::new("a\r\nb\n"), "a\nc\n"), "a\nc\n");
}

#[test]
fn what_cannot_be_written_is_said_plainly() {
    let mut world = World::new(&[("dir/x.txt", "x\n")]);
    let mut refused = |path: &str, content: &str| {
        world.call("write", json!({"path": path, "content": content})).unwrap_err()
    };
    assert!(refused("dir", "x").contains("is a folder"));
    assert!(refused("../x.txt", "x").contains("outside of the workspace"));
    assert!(refused("new.bin", "a\0b").contains("NUL"));
    assert!(!refused("dir/x.txt/y", "x").is_empty());
}
