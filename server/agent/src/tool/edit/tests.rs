use serde_json::json;

use crate::tool::tests::World;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

#[test]
fn an_edit_needs_no_look_at_the_file_and_says_what_stands_there_then() {
    let mut world = World::new(&[("x.txt", TEXT)]);
    let note = world.call("edit", json!({"path": "x.txt", "before": "two", "after": "TWO\nTOO"})).unwrap();
    assert_eq!(
        note,
        "x.txt is then:\n     1→one\n     2→TWO\n     3→TOO\n     4→three\nwhat was line 3 is line 4 now, and so on"
    );
    assert_eq!(world.seen("x.txt").unwrap(), "one\nTWO\nTOO\nthree\nfour\nfive\n");
    assert_eq!(std::fs::read_to_string(world.path("x.txt")).unwrap(), TEXT, "the file is the user's");
}

#[test]
fn a_stale_file_is_edited_only_where_it_is_as_it_was_read() {
    let mut world = World::new(&[("x.txt", TEXT)]);
    world.call("read", json!({"path": "x.txt"})).unwrap();
    world.write("x.txt", "zero\none\ntwo\nthree\nfour!\nfive\n");
    let note = world.call("edit", json!({"path": "x.txt", "before": "two", "after": "2"})).unwrap();
    assert!(
        note.starts_with("the file is not as you last saw it, but the lines that you replace are"),
        "{note}"
    );
    assert_eq!(world.seen("x.txt").unwrap(), "zero\none\n2\nthree\nfour!\nfive\n");

    world.write("x.txt", "zero\none\ntwo\nthree!\nfour!\nfive\n");
    let refusal = world.call("edit", json!({"path": "x.txt", "before": "three", "after": "3"})).unwrap_err();
    assert!(refusal.contains("not as you last saw them"), "{refusal}");
    let every = json!({"path": "x.txt", "before": "zero", "after": "0", "replace_all": true});
    assert!(world.call("edit", every).unwrap_err().contains("read it again"));
}

#[test]
fn an_edit_behind_an_edit_sees_it() {
    let mut world = World::new(&[("x.txt", TEXT)]);
    world.call("edit", json!({"path": "x.txt", "before": "two", "after": "2"})).unwrap();
    world.call("edit", json!({"path": "x.txt", "before": "2\nthree", "after": "2\n3"})).unwrap();
    assert_eq!(world.seen("x.txt").unwrap(), "one\n2\n3\nfour\nfive\n");
}

#[test]
fn a_bent_quotation_is_said() {
    let mut world = World::new(&[("x.txt", "a:\n    b\n    c\n")]);
    let note = world.call("edit", json!({"path": "x.txt", "before": "b\nc\n", "after": "b\nd\n"})).unwrap();
    assert!(note.starts_with("`before` was found with another indentation"), "{note}");
    assert_eq!(world.seen("x.txt").unwrap(), "a:\n    b\n    d\n");
}

#[test]
fn what_cannot_be_edited_is_said_plainly() {
    let mut world = World::new(&[("README.md", "x\n"), ("bin", "a\0b")]);
    let mut refused =
        |path: &str| world.call("edit", json!({"path": path, "before": "x", "after": "y"})).unwrap_err();
    assert_eq!(refused("readme.md"), "readme.md does not exist; there is `README.md`");
    assert_eq!(refused("none/x"), "none/x does not exist");
    assert!(refused("bin").contains("not a text file"));
    assert!(refused(".").contains("is a folder"));
    assert!(refused("/etc/passwd").contains("outside of the workspace"));
}
