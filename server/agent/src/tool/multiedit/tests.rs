use serde_json::json;

use crate::tool::tests::World;

#[test]
fn changes_are_made_one_after_the_other() {
    let mut world = World::new(&[("x.txt", "one\r\ntwo\r\nthree\r\n"), ("y.txt", "a\n")]);
    let note = world.call(
        "multiedit",
        json!({"changes": [
            {"path": "x.txt", "before": "two", "after": "[$&]"},
            {"path": "new.txt", "after": "n\n"},
            {"path": "x.txt", "before": "[$&]\nthree", "after": "2\n3"},
            {"path": "y.txt", "before": "a", "after": "b"},
            {"path": "new.txt", "before": "n", "after": "N"},
        ]}),
    );
    assert!(note.unwrap().contains("new.txt is a new file with 1 lines"));
    assert_eq!(world.seen("x.txt").unwrap(), "one\r\n2\r\n3\r\n");
    assert_eq!(world.seen("y.txt").unwrap(), "b\n");
    assert_eq!(world.seen("new.txt").unwrap(), "N\n");
}

#[test]
fn when_one_change_cannot_be_made_none_is() {
    let mut world = World::new(&[("x.txt", "one\ntwo\n"), ("y.txt", "a\n")]);
    let first = json!({"path": "x.txt", "before": "two", "after": "2"});
    for (second, why) in [
        (json!({"path": "y.txt", "before": "b", "after": "c"}), "does not stand in y.txt"),
        (json!({"path": "y.txt", "after": "c"}), "y.txt exists"),
        (json!({"path": "none.txt", "before": "b", "after": "c"}), "none.txt does not exist"),
        (json!({"path": "y.txt", "before": "a"}), "missing field `after`"),
        (json!({"path": "../z", "after": "c"}), "outside of the workspace"),
        (json!(7), "invalid type"),
    ] {
        let refusal = world.call("multiedit", json!({"changes": [first, second]})).unwrap_err();
        assert!(refusal.starts_with("change 2: ") && refusal.ends_with("nothing was changed"), "{refusal}");
        assert!(refusal.contains(why), "{refusal}");
        assert_eq!(world.seen("x.txt").unwrap(), "one\ntwo\n");
    }
    let twice = json!({"changes": [{"path": "n", "after": "1"}, {"path": "n", "after": "2"}]});
    assert!(world.call("multiedit", twice).unwrap_err().contains("n exists"));
    assert_eq!(world.seen("n"), None);
    assert!(world.call("multiedit", json!({"changes": []})).unwrap_err().contains("nothing to change"));
    let back = json!({"changes": [first, {"path": "x.txt", "before": "2", "after": "two"}]});
    assert!(world.call("multiedit", back).unwrap_err().contains("cancel each other out"));
}

#[test]
fn a_stale_file_is_changed_only_where_it_is_as_it_was_read() {
    let mut world = World::new(&[("x.txt", "one\ntwo\nthree\n")]);
    world.call("read", json!({"path": "x.txt"})).unwrap();
    world.write("x.txt", "one\ntwo\nthree!\n");
    let change = |before: &str| json!({"changes": [{"path": "x.txt", "before": before, "after": "x"}]});
    assert!(world.call("multiedit", change("three")).unwrap_err().contains("not as you last saw them"));
    assert!(world.call("multiedit", change("two")).unwrap().contains("is not as you last saw it, but"));
}
