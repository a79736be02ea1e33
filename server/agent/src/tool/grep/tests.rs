use serde_json::{Value, json};

use crate::tool::tests::World;

fn world() -> World {
    World::new(&[
        (".gitignore", "ignored.txt\n"),
        ("a.rs", "fn one() {}\nfn two() {}\n// three\nfn four() {}\n"),
        ("b.txt", "One\r\ntwo\r\n"),
        ("bin", "one\0two\n"),
        ("ignored.txt", "one\n"),
    ])
}

fn check(input: &Value, expected: &str) {
    assert_eq!(world().call("grep", input.clone()).unwrap(), expected, "{input}");
}

#[test]
fn a_search_tells_files_counts_or_lines() {
    check(&json!({"pattern": "one"}), "a.rs");
    check(&json!({"pattern": "ONE", "ignoreCase": true}), "a.rs\nb.txt");
    check(&json!({"pattern": "fn", "output_mode": "count"}), "a.rs:3");
    check(&json!({"pattern": "two$", "output_mode": "content"}), "b.txt:2:two");
    check(&json!({"pattern": "two", "output_mode": "content"}), "a.rs:2:fn two() {}\nb.txt:2:two");
    check(
        &json!({"pattern": "three", "output_mode": "content", "context": 1}),
        "a.rs-2-fn two() {}\na.rs:3:// three\na.rs-4-fn four() {}",
    );
    check(
        &json!({"pattern": "one|four", "output_mode": "content", "before_context": 0, "after_context": 1}),
        "a.rs:1:fn one() {}\na.rs-2-fn two() {}\n--\na.rs:4:fn four() {}",
    );
    check(&json!({"pattern": "fn", "output_mode": "content", "maxCount": 1}), "a.rs:1:fn one() {}");
    check(
        &json!({"pattern": "one.*two", "output_mode": "content", "multiline": true}),
        "a.rs:1:fn one() {}\na.rs:2:fn two() {}",
    );
    check(&json!({"pattern": "nowhere"}), "(nothing matches)");
}

#[test]
fn a_search_takes_only_what_is_asked_for() {
    check(&json!({"pattern": "two", "type": "rust"}), "a.rs");
    check(&json!({"pattern": "two", "glob": "*.txt"}), "b.txt");
    check(&json!({"pattern": "two", "glob": "!*.txt"}), "a.rs");
    check(&json!({"pattern": "two", "path": "b.txt"}), "b.txt");
    let refused = |input: Value| world().call("grep", input).unwrap_err();
    assert!(refused(json!({"pattern": "("})).contains("the pattern is not right"));
    assert!(refused(json!({"pattern": "a\\nb"})).contains("`multiline` lets a match span lines"));
    assert!(refused(json!({"pattern": "a", "type": "no such type"})).contains("`glob` takes any pattern"));
    assert!(refused(json!({"pattern": "a", "path": "/etc"})).contains("outside of the workspace"));
}

#[test]
fn a_search_sees_what_the_session_sees() {
    let mut world = world();
    world.call("edit", json!({"path": "a.rs", "before": "one", "after": "uno"})).unwrap();
    world.call("write", json!({"path": "new.rs", "content": "uno\n"})).unwrap();
    world.open("b.txt", "uno, unsaved\n");
    world.open("ignored.txt", "uno\n");
    assert_eq!(world.call("grep", json!({"pattern": "uno"})).unwrap(), "a.rs\nb.txt\nnew.rs");
    assert_eq!(world.call("grep", json!({"pattern": "one"})).unwrap(), "(nothing matches)");
    assert_eq!(world.call("grep", json!({"pattern": "uno", "type": "rust"})).unwrap(), "a.rs\nnew.rs");
    world.delete("a.rs");
    assert_eq!(world.call("grep", json!({"pattern": "uno", "glob": "*.rs"})).unwrap(), "new.rs");
}

#[test]
fn an_answer_is_bounded_and_says_how_to_go_on() {
    let long = format!("{}\n", "x".repeat(100_000));
    let mut world = World::new(&[("long.txt", &long), ("many.txt", &"hit\n".repeat(10_000))]);
    let content = |pattern: &str, offset: usize| json!({"pattern": pattern, "output_mode": "content", "offset": offset});
    let found = world.call("grep", content("hit", 0)).unwrap();
    assert!(found.ends_with("many.txt:250:hit\n(more follow; go on with offset 250)"), "{}", found.len());
    assert!(world.call("grep", content("hit", 9_999)).unwrap().starts_with("many.txt:10000:hit"));
    assert!(world.call("grep", content("hit", 10_000)).unwrap().contains("nothing is left"));
    assert!(world.call("grep", content("x", 0)).unwrap().ends_with("x… (100000 bytes in all)"));
}
