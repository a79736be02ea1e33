use serde_json::json;

use crate::tool::tests::World;

#[test]
fn lines_have_numbers_and_the_end_says_what_is_left() {
    let mut world = World::new(&[("x.txt", "one\r\ntwo\r\nthree"), ("empty", "")]);
    assert_eq!(
        world.call("read", json!({"path": "x.txt"})).unwrap(),
        "     1→one\n     2→two\n     3→three\n(all 3 lines of x.txt; its lines end with \\r\\n; no line ending at its end)"
    );
    assert_eq!(
        world.call("read", json!({"path": "x.txt", "offset": 2, "limit": 1})).unwrap(),
        "     2→two\n(lines 2 to 2 of 3 of x.txt; go on with offset 3)"
    );
    assert!(
        world.call("read", json!({"path": "x.txt", "offset": 3})).unwrap().contains("lines 3 to 3, the last")
    );
    assert_eq!(world.call("read", json!({"path": "empty"})).unwrap(), "(empty is empty)");
    assert!(world.call("read", json!({"path": "x.txt", "offset": 4})).unwrap_err().contains("has 3 lines"));
}

#[test]
fn an_answer_is_bounded_and_says_how_to_go_on() {
    let long = "x".repeat(100_000);
    let mut world = World::new(&[("long.txt", &long), ("many.txt", &"0123456789\n".repeat(100_000))]);
    let shown = world.call("read", json!({"path": "long.txt"})).unwrap();
    assert!(shown.len() < 3_000 && shown.contains("(100000 bytes in all)"), "{shown}");
    let shown = world.call("read", json!({"path": "many.txt", "limit": 50_000})).unwrap();
    assert!(shown.len() < 60_000, "{}", shown.len());
    let last = shown.lines().last().unwrap();
    let offset: usize = last.rsplit(' ').next().unwrap().trim_end_matches(')').parse().unwrap();
    let next = world.call("read", json!({"path": "many.txt", "offset": offset, "limit": 1})).unwrap();
    assert!(next.starts_with(&format!("{offset:6}→0123456789")), "{next}");
}

#[test]
fn what_is_no_text_is_said_plainly() {
    let mut world = World::new(&[("x.bin", "\u{89}PNG\0"), ("x.png", "x"), ("x.txt", "x")]);
    let huge = std::fs::File::create(world.path("huge.txt")).unwrap();
    huge.set_len(crate::file::MOST_BYTES + 1).unwrap();
    let mut refused = |input: serde_json::Value| world.call("read", input).unwrap_err();
    assert!(refused(json!({"path": "x.bin"})).starts_with("x.bin is not a text file in UTF-8"));
    assert!(refused(json!({"path": "x.png"})).contains("x.png cannot be shown: it is neither PNG"));
    assert!(refused(json!({"path": "huge.txt"})).starts_with("huge.txt has 52428801 bytes; at most"));
    assert!(refused(json!({"path": "x.txt", "encoding": "latin1"})).contains("read as UTF-8"));
    assert!(refused(json!({"path": "x.txt", "pages": "1-2"})).contains("PDF"));
}
