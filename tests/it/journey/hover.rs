//! What a hover on a hunk shows: its diff, the words that change, and what it waits for.

use serde_json::{Value, json};

use super::surface::able;
use super::{SCRIPT, World};

#[test]
fn a_hover_shows_the_diff_and_what_it_waits_for() {
    let mut world = World::with(SCRIPT, able("textDocument/hover", json!({"contentFormat": ["markdown"]})));
    world.open();
    world.turn();
    let uri = world.uri();
    let hover = world.hover(&uri, 1);
    assert_eq!(
        hover,
        json!({
            "contents": {
                "kind": "markdown",
                "value": "Pending hunk, *shout, please*: waits for you to accept or reject it\n\n\
                    ```diff\n-two\n+TWO\n```",
            },
            "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}},
        })
    );
    assert_eq!(world.hover(&uri, 2), Value::Null, "behind the hunk");
    world.type_text(1, 3, 3, "!");
    let hover = world.hover(&uri, 1);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(
        text.starts_with("Stale hunk") && text.contains("the lines that it replaces were changed"),
        "{text}"
    );
    world.done();
}

#[test]
fn a_hover_is_plain_text_where_that_is_read() {
    let mut world = World::with(SCRIPT, able("textDocument/hover", json!({"contentFormat": ["plaintext"]})));
    world.open();
    world.turn();
    let uri = world.uri();
    let contents = world.hover(&uri, 4)["contents"].clone();
    assert_eq!(contents["kind"], "plaintext");
    let expected = "Pending hunk, shout, please: waits for you to accept or reject it\n\n-five\n+FIVE\n+SIX";
    assert_eq!(contents["value"], expected);
    world.done();
}

#[test]
fn a_hover_marks_the_words_that_change_in_a_line() {
    let call = r#"{name: edit, input: {path: "x y.txt", before: retry(3), after: retry(5)}}"#;
    let script = format!(
        "turns:\n  - stream:\n      - tool: {call}\n  - stream:\n      - text: Two hunks wait for you.\n"
    );
    for (format, expected) in
        [("markdown", "Changed words: `3` → `5`"), ("plaintext", "Changed words: \"3\" → \"5\"")]
    {
        let mut world = World::with(&script, able("textDocument/hover", json!({"contentFormat": [format]})));
        world.text = "let a = retry(3);\n".to_owned();
        std::fs::write(world.file(), &world.text).unwrap();
        world.open();
        world.turn();
        let uri = world.uri();
        let value = world.hover(&uri, 0)["contents"]["value"].as_str().unwrap().to_owned();
        assert_eq!(value.lines().last(), Some(expected), "{value}");
        world.done();
    }
}
