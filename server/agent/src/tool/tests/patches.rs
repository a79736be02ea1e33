//! E-10: the cases of a patch format's own test list, as calls of our tools; and what a change in the middle leaves behind.

use serde_json::{Value, json};

use super::World;

const FILES: &[(&str, &str)] = &[
    ("a.txt", "one\ntwo\nthree\nfour\n"),
    ("b.txt", "x\ny"),
    ("u.txt", "naïve “café”\n"),
    ("dir/c.txt", "c\n"),
];

/// Runs one `multiedit` and compares all files that are named; where it is refused, all must be as they were.
fn check(changes: &Value, expected: Result<&[(&str, &str)], &str>) {
    let mut world = World::new(FILES);
    let result = world.call("multiedit", json!({ "changes": changes }));
    match expected {
        Ok(files) => {
            result.unwrap_or_else(|refusal| panic!("{changes}: {refusal}"));
            for (path, text) in files {
                assert_eq!(world.seen(path).as_deref(), Some(*text), "{changes}: {path}");
            }
        }
        Err(why) => {
            let refusal = result.expect_err("it is refused");
            assert!(refusal.contains(why), "{changes}: {refusal}");
            for (path, text) in FILES {
                assert_eq!(world.seen(path).as_deref(), Some(*text), "{changes}: {path}");
            }
        }
    }
}

#[test]
fn e10_what_can_be_done_is_done_exactly() {
    check(&json!([{"path": "new/add.txt", "after": "hello\n"}]), Ok(&[("new/add.txt", "hello\n")]));
    check(
        &json!([
            {"path": "n.txt", "after": "n"},
            {"path": "a.txt", "before": "two\n", "after": ""},
            {"path": "dir/c.txt", "before": "c", "after": "C"},
        ]),
        Ok(&[("n.txt", "n"), ("a.txt", "one\nthree\nfour\n"), ("dir/c.txt", "C\n")]),
    );
    check(
        &json!([
            {"path": "a.txt", "before": "one", "after": "1"},
            {"path": "a.txt", "before": "four\n", "after": "4\nfive\n"},
        ]),
        Ok(&[("a.txt", "1\ntwo\nthree\n4\nfive\n")]),
    );
    // A pure addition, at the beginning and at the end; a final newline comes where it is meant, and only there.
    check(
        &json!([{"path": "a.txt", "before": "one\n", "after": "zero\none\n"}]),
        Ok(&[("a.txt", "zero\none\ntwo\nthree\nfour\n")]),
    );
    check(&json!([{"path": "b.txt", "before": "x\ny", "after": "x\ny\n"}]), Ok(&[("b.txt", "x\ny\n")]));
    check(&json!([{"path": "b.txt", "before": "x\n", "after": "z\n"}]), Ok(&[("b.txt", "z\ny")]));
    check(&json!([{"path": "u.txt", "before": "naïve", "after": "naïf"}]), Ok(&[("u.txt", "naïf “café”\n")]));
    check(
        &json!([{"path": "u.txt", "before": "naïve \"café\"\n", "after": "naïve \"thé\"\n"}]),
        Ok(&[("u.txt", "naïve “thé”\n")]),
    );
    check(
        &json!([{"path": "a.txt", "before": "one\ntwo\nthree\nfour\n", "after": ""}]),
        Ok(&[("a.txt", "")]),
    );
}

#[test]
fn e10_what_cannot_be_done_changes_nothing_at_all() {
    check(&json!([]), Err("nothing to change"));
    check(&json!([{"path": "a.txt", "before": "five", "after": "5"}]), Err("does not stand in a.txt"));
    check(&json!([{"path": "none.txt", "before": "x", "after": "y"}]), Err("does not exist"));
    check(&json!([{"path": "a.txt", "after": "x"}]), Err("a.txt exists"));
    check(&json!([{"path": "dir", "after": "x"}]), Err("is a folder"));
    check(&json!([{"path": "a.txt", "before": "", "after": ""}]), Err("a.txt exists"));
    check(&json!([{"path": "a.txt", "before": "one", "after": "one"}]), Err("nothing to change"));
    check(&json!([{"file": "a.txt", "before": "one", "after": "1"}]), Err("unknown field `file`"));
    check(
        &json!([
            {"path": "n.txt", "after": "n"},
            {"path": "a.txt", "before": "one", "after": "1"},
            {"path": "b.txt", "before": "nowhere", "after": ""},
        ]),
        Err("change 3"),
    );
    check(&json!([{"path": "a.txt", "before": "e\n", "after": "E\n"}]), Err("2 times, at lines 1, 3"));
}

/// The names of files in a diff begin with `a/` and `b/`.
#[test]
fn e07_the_prefixes_of_a_diff_are_no_folders_that_are_made_up() {
    for prefix in ["a", "b"] {
        let path = format!("{prefix}/dir/c.txt");
        check(&json!([{"path": path, "before": "c", "after": "C"}]), Err("there is `dir/c.txt`"));
        let mut world = World::new(&[(&path, "c\n"), ("dir/c.txt", "c\n")]);
        world.call("edit", json!({"path": path, "before": "c", "after": "C"})).unwrap();
        assert_eq!([world.seen(&path), world.seen("dir/c.txt")].map(Option::unwrap), ["C\n", "c\n"]);
    }
}
