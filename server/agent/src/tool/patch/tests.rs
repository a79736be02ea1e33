use serde_json::json;

use super::patched;
use crate::tool::tests::World;
use kkcode_core::lines::Lines;

fn check(old: &str, lines: std::ops::Range<usize>, content: &str, expected: &str) {
    assert_eq!(patched(&Lines::new(old), lines, content), expected, "{old:?} {content:?}");
}

#[test]
fn content_has_no_final_line_ending_and_gets_the_files_own() {
    check("a\nb\nc\n", 1..2, "x\ny", "a\nx\ny\nc\n");
    check("a\r\nb\r\nc\r\n", 1..2, "x\ny", "a\r\nx\r\ny\r\nc\r\n");
    check("a\nb\nc\n", 1..2, "", "a\nc\n");
    check("a\nb", 1..2, "x", "a\nx");
    check("a\nb", 1..2, "x\n", "a\nx\n");
    check("a\nb\n", 1..2, "x\n", "a\nx\n");
    check("a\nb\n", 1..2, "\n", "a\n\n");
    check("a\r\nb", 1..2, "x\ny", "a\r\nx\r\ny");
}

#[test]
fn lines_are_replaced_only_while_their_numbers_are_right() {
    let mut world = World::new(&[("x.txt", "one\ntwo\nthree\nfour\nfive\n")]);
    let patch = |from: usize, to: usize, content: &str| json!({"path": "x.txt", "start_line": from, "end_line": to, "content": content});
    assert!(world.call("patch", patch(2, 2, "2")).unwrap_err().contains("was not read in this turn"));
    world.call("read", json!({"path": "x.txt", "limit": 3})).unwrap();
    assert!(world.call("patch", patch(3, 4, "x")).unwrap_err().contains("were not shown to you"));
    world.call("patch", patch(2, 2, "2\n2")).unwrap();
    assert_eq!(world.seen("x.txt").unwrap(), "one\n2\n2\nthree\nfour\nfive\n");
    // What stands there was told with the result; what is behind has moved.
    world.call("patch", patch(3, 3, "3")).unwrap();
    assert!(world.call("patch", patch(5, 5, "x")).unwrap_err().contains("with the numbers they have now"));

    world.call("read", json!({"path": "x.txt"})).unwrap();
    world.write("x.txt", "zero\none\ntwo\nthree\nfour\nfive\n");
    let refusal = world.call("patch", patch(6, 6, "x")).unwrap_err();
    assert!(refusal.contains("not as you last saw it"), "{refusal}");
}

#[test]
fn lines_that_are_not_there_are_refused() {
    let mut world = World::new(&[("x.txt", "one\ntwo\n")]);
    world.call("read", json!({"path": "x.txt"})).unwrap();
    for (from, to) in [(0, 1), (2, 1), (1, 3), (3, 3)] {
        let input = json!({"path": "x.txt", "start_line": from, "end_line": to, "content": "x"});
        assert!(world.call("patch", input).unwrap_err().contains("has lines 1 to 2"), "{from} {to}");
    }
    let same = json!({"path": "x.txt", "start_line": 1, "end_line": 1, "content": "one"});
    assert!(world.call("patch", same).unwrap_err().contains("nothing to change"));
}
