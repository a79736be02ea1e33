//! `session`: what was said is listed, shown, exported, gone on with and deleted.

use serde_json::json;

use super::{SCRIPT, World};

#[test]
fn a_session_is_gone_on_with_exported_and_deleted() {
    let world = World::new(&format!("{SCRIPT}  - expect: [continue]\n    stream: [{{text: More.}}]\n"));
    let first = world.json(&["run", "shout, please"]);
    let session = first["sessionId"].as_str().unwrap();
    let second = world.json(&["run", "continue", "--session", session]);
    assert_eq!((&second["sessionId"], &second["reply"]), (&json!(session), &json!("More.")));

    let list = world.json(&["session", "list"]);
    assert_eq!(
        (&list["sessions"][0]["sessionId"], &list["sessions"][0]["turnCount"]),
        (&json!(session), &json!(2))
    );
    assert!(world.done(&["session", "list"]).contains("2 turns  shout, please"));
    let shown = world.done(&["session", "show", session]);
    assert!(shown.contains("> shout, please\nDone.\n") && shown.contains("> continue\nMore.\n"), "{shown}");

    let last = world.done(&["session", "show", session, "--limit", "1"]);
    assert!(
        last.contains("(1 earlier)\n") && !last.contains("> shout") && last.contains("> continue"),
        "{last}"
    );
    assert!(world.done(&["session", "list", "--offset", "1"]).contains("there are 1 in all"));

    let exported = world.json(&["session", "export", session]);
    assert_eq!(exported["session"]["turns"].as_array().unwrap().len(), 2);
    let roles: Vec<&str> = exported["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user", "assistant"]);
    let markdown = world.done(&["session", "export", session]);
    assert!(markdown.starts_with("# shout, please\n") && markdown.contains("### `edit`"), "{markdown}");

    assert_eq!(world.json(&["session", "delete", session]), json!({"deleted": true}));
    assert_eq!(world.json(&["session", "delete", session]), json!({"deleted": false}));
    let (code, _, errors) = world.failed(&["session", "show", session]);
    assert_eq!((code, errors.contains("there is no session `")), (1, true), "{errors}");
    assert_eq!(world.json(&["proposal", "list"]), json!({"proposals": []}), "its proposal went with it");
}
