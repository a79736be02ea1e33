//! What an editor shows of hunks: hovers, code lenses, diagnostics, code actions, virtual documents.

use serde_json::{Value, json};

use super::{SCRIPT, World, capabilities};

const DIAGNOSTICS: &str = "textDocument/publishDiagnostics";
const LENS_REFRESH: &str = "workspace/codeLens/refresh";
const CONTENT_REFRESH: &str = "workspace/textDocumentContent/refresh";

/// Inserts behind line 2, and at the very top of the file.
const INSERTIONS: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "x y.txt", before: "two\n", after: "two\ntwo and a half\n"}}
      - tool: {name: edit, input: {path: "x y.txt", before: "one\n", after: "zero\none\n"}}
  - stream:
      - text: "Two hunks wait for you."
"#;

/// Deletes line 2 and changes the line behind it, in two hunks that touch the same line of the text.
const NEIGHBOURS: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "x y.txt", before: "one\n", after: "ONE\n"}}
      - tool: {name: edit, input: {path: "x y.txt", before: "three\n", after: "THREE\n"}}
  - stream:
      - text: "Two hunks wait for you."
"#;

/// A client of ours with one more capability.
pub(super) fn able(pointer: &str, value: Value) -> Value {
    let mut capabilities = capabilities();
    let mut at = &mut capabilities;
    for name in pointer.split('/') {
        at = &mut at[name];
    }
    *at = value;
    capabilities
}

/// The same client without our notifications.
fn plain(mut capabilities: Value) -> Value {
    capabilities.as_object_mut().unwrap().remove("experimental");
    capabilities
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

impl World {
    pub(super) fn hover(&mut self, uri: &str, line: u32) -> Value {
        let params = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": 0}});
        self.server.call("textDocument/hover", params)
    }

    /// The code lenses of a document: line, title and command.
    fn lenses(&mut self, uri: &str) -> Vec<(u64, String, Value)> {
        let lenses = self.server.call("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
        let lenses = lenses.as_array().unwrap().clone();
        lenses
            .into_iter()
            .map(|lens| {
                let resolved = self.server.call("codeLens/resolve", lens.clone());
                assert_eq!(lens, resolved, "it has its command already");
                let title = lens["command"]["title"].as_str().unwrap().to_owned();
                (lens["range"]["start"]["line"].as_u64().unwrap(), title, lens["command"].clone())
            })
            .collect()
    }

    /// Runs a turn of a client that does not know our notifications, and returns its proposal.
    fn plain_turn(&mut self) -> String {
        self.server.command("kkcode.turn.start", json!({"prompt": "shout, please"})).unwrap();
        self.server.expect_notification("window/showMessage");
        let list = self.server.command("kkcode.proposal.list", json!({})).unwrap();
        list["proposals"][0]["proposalId"].as_str().unwrap().to_owned()
    }

    /// Waits until this many diagnostics are published at once, passing over others, and returns those params.
    fn published(&mut self, count: usize) -> Value {
        loop {
            let params = self.server.expect_notification(DIAGNOSTICS);
            if params["diagnostics"].as_array().unwrap().len() == count {
                return params;
            }
        }
    }

    fn actions_by(&mut self, uri: &str, line: u32, trigger: u8) -> Vec<Value> {
        let place = json!({"line": line, "character": 0});
        let params = json!({
            "textDocument": {"uri": uri},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": [], "triggerKind": trigger},
        });
        self.server.call("textDocument/codeAction", params).as_array().unwrap().clone()
    }

    fn execute(&mut self, command: &Value) -> Value {
        let params = json!({"command": command["command"], "arguments": command["arguments"]});
        self.server.call("workspace/executeCommand", params)
    }

    fn virtual_uri(&self, scheme: &str, proposal: &str) -> String {
        format!("{scheme}:/{proposal}{}", self.file().display().to_string().replace(' ', "%20"))
    }
}

#[test]
fn lenses_count_and_decide() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let uri = world.uri();
    let lenses = world.lenses(&uri);
    let shown: Vec<_> = lenses.iter().map(|(line, title, _)| (*line, title.as_str())).collect();
    let expected = [
        (0, "2 pending · Accept file"),
        (0, "Reject file"),
        (1, "2 pending · Accept hunk"),
        (1, "Reject hunk"),
        (4, "2 pending · Accept hunk"),
        (4, "Reject hunk"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(world.execute(&lenses[3].2), json!({"status": "rejected"}));
    assert_eq!(world.states(&proposal), ["rejected", "pending"]);
    world.type_text(4, 4, 4, "!");
    let shown: Vec<String> = world.lenses(&uri).into_iter().map(|(_, title, _)| title).collect();
    assert_eq!(shown, ["1 stale · Reject file", "stale · Reject hunk"]);
    world.done();
}

#[test]
fn a_lens_whose_hunk_is_decided_says_so() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let lenses = world.server.call("textDocument/codeLens", json!({"textDocument": {"uri": world.uri()}}));
    let hunk = world.hunks(&proposal)[0].id.clone();
    world.hunk_command("kkcode.hunk.reject", &proposal, &hunk).unwrap();
    assert_eq!(world.server.request("codeLens/resolve", lenses[2].clone()).unwrap_err().code, -32801);
    world.done();
}

#[test]
fn lenses_are_refreshed_for_a_state_and_not_for_a_shift() {
    let mut world = World::with(SCRIPT, able("workspace/codeLens", json!({"refreshSupport": true})));
    world.open();
    let refreshed = |world: &mut World| {
        let (id, params) = world.server.expect_request(LENS_REFRESH);
        assert_eq!(params, Value::Null);
        world.server.respond(&id, Ok(Value::Null));
    };
    let proposal = world.turn();
    refreshed(&mut world);
    world.states(&proposal);
    world.server.take_unread();
    world.type_text(0, 0, 0, "new\n");
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    let seen = world.server.take_unread();
    assert!(seen.iter().all(|message| message.method() != Some(LENS_REFRESH)), "{seen:?}");
    world.type_text(2, 0, 0, "my ");
    refreshed(&mut world);
    world.done();
}

#[test]
fn a_client_of_ours_gets_no_diagnostics() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.type_text(1, 0, 0, "my ");
    assert_eq!(world.states(&proposal), ["stale", "pending"]);
    let seen = world.server.take_unread();
    assert!(seen.iter().all(|message| message.method() != Some(DIAGNOSTICS)), "{seen:?}");
    world.done();
}

#[test]
fn a_plain_client_walks_the_hunks_of_a_closed_file_by_diagnostics() {
    let mut world = World::with(SCRIPT, plain(capabilities()));
    let proposal = world.plain_turn();
    let published = world.published(2);
    assert_eq!(published["uri"], world.uri().replace(' ', "%20"));
    assert_eq!(published.get("version"), None);
    assert_eq!(
        published["diagnostics"][1],
        json!({
            "range": {"start": {"line": 4, "character": 0}, "end": {"line": 5, "character": 0}},
            "severity": 3,
            "code": "pending",
            "source": "kkcode",
            "message": "pending hunk: 1 line by 2 lines: five → FIVE",
        })
    );
    let hunks = world.hunks(&proposal);
    world.hunk_command("kkcode.hunk.reject", &proposal, &hunks[0].id).unwrap();
    assert_eq!(world.published(1)["diagnostics"][0]["range"]["start"]["line"], 4);
    world.hunk_command("kkcode.hunk.accept", &proposal, &hunks[1].id).unwrap();
    world.published(0);
    world.done();
}

#[test]
fn diagnostics_follow_states_and_not_shifts() {
    let versions =
        able("textDocument/publishDiagnostics", json!({"versionSupport": true, "dataSupport": true}));
    let mut world = World::with(SCRIPT, plain(versions));
    world.open();
    let proposal = world.plain_turn();
    let hunks = world.hunks(&proposal);
    let published = world.published(2);
    assert_eq!((&published["uri"], &published["version"]), (&json!(world.uri()), &json!(1)));
    let data = json!({"proposalId": proposal, "hunkId": hunks[0].id});
    assert_eq!(published["diagnostics"][0]["data"], data);
    // A client that had another text by then may have dropped what it was told: it hears of this one when the typing rests.
    world.type_text(0, 0, 0, "new\n");
    let shifted = world.published(2);
    assert_eq!(shifted["version"], 2);
    assert_eq!(shifted["diagnostics"][0]["range"]["start"]["line"], 2);
    assert_eq!(world.states(&proposal), ["pending", "pending"]);

    world.type_text(2, 0, 0, "my ");
    let stale = world.published(2);
    assert_eq!(stale["version"], 3);
    let message = "stale hunk (the lines that it replaces were changed): two → TWO";
    assert_eq!(stale["diagnostics"][0]["message"], message);
    assert_eq!(stale["diagnostics"][0]["range"]["start"]["line"], 2);
    assert_eq!(stale["diagnostics"][1]["code"], "pending");
    world.done();
}

#[test]
fn diagnostics_are_moved_by_a_client_that_counts_no_versions() {
    let mut world = World::with(SCRIPT, plain(capabilities()));
    world.open();
    let proposal = world.plain_turn();
    world.published(2);
    world.type_text(0, 0, 0, "new\n");
    // Longer than any pause is taken for a rest.
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    let seen = world.server.take_unread();
    assert!(seen.iter().all(|message| message.method() != Some(DIAGNOSTICS)), "{seen:?}");
    world.done();
}

#[test]
fn an_opened_document_gets_its_diagnostics_again() {
    let mut world = World::with(SCRIPT, plain(capabilities()));
    world.plain_turn();
    world.published(2);
    world.text.insert_str(0, "unsaved\n");
    world.open();
    // The address that the client did not choose is cleared; its own has them where they stand in its text.
    let cleared = world.published(0);
    assert_eq!(cleared["uri"], world.uri().replace(' ', "%20"));
    let published = world.published(2);
    assert_eq!(published["uri"], world.uri());
    assert_eq!(published["diagnostics"][0]["range"]["start"]["line"], 2);
    world.done();
}

#[test]
fn insertions_are_at_the_line_before_them_everywhere() {
    let mut world = World::with(INSERTIONS, plain(capabilities()));
    world.open();
    world.plain_turn();
    let uri = world.uri();
    let diagnostics = world.published(2)["diagnostics"].clone();
    let range = |index: usize| diagnostics[index]["range"].clone();
    let at = |line: u32| json!({"line": line, "character": 0});
    assert_eq!(range(0), json!({"start": at(0), "end": at(0)}), "the top of the file");
    assert_eq!(range(1), json!({"start": at(1), "end": at(2)}));
    assert_eq!(diagnostics[1]["message"], "pending hunk: insert 1 line: two and a half");
    for line in [0, 1] {
        assert_eq!(titles(&world.actions(line))[0], "Accept hunk", "line {line}");
        assert!(world.hover(&uri, line).is_object(), "line {line}");
    }
    let lines: Vec<u64> = world.lenses(&uri).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, [0, 0, 0, 0, 1, 1]);
    assert!(world.actions(2).is_empty());
    world.accept_by_action(1);
    assert_eq!(world.text, "one\ntwo\ntwo and a half\nthree\nfour\nfive\n");
    world.done();
}

#[test]
fn a_hunk_has_its_actions_in_a_stable_order() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let uri = world.uri();
    let all = [
        "Accept hunk",
        "Reject hunk",
        "Accept file",
        "Reject file",
        "Accept all",
        "Show diff",
        "Next hunk",
        "Previous hunk",
    ];
    let actions = world.actions_by(&uri, 1, 1);
    assert_eq!(titles(&actions), all);
    assert_eq!(world.actions_by(&uri, 1, 2), actions, "asked by the editor itself");
    assert!(world.actions_by(&uri, 2, 2).is_empty());
    for action in &actions {
        let kind = action["kind"].as_str().unwrap();
        assert!(kind.starts_with("refactor.rewrite.kkcode."), "{kind}");
        assert_eq!(action.get("tags"), None);
    }
    assert_eq!(actions[4]["command"]["command"], "kkcode.proposal.accept");
    assert_eq!(actions[4]["command"]["arguments"], json!([{"proposalId": proposal}]));
    assert_eq!(actions[3]["command"]["arguments"], json!([{"proposalId": proposal, "uri": uri}]));

    let resolved = world.server.call("codeAction/resolve", actions[2].clone());
    let change = resolved["edit"]["documentChanges"][0].clone();
    assert_eq!(change["textDocument"], json!({"uri": uri, "version": 1}));
    let edits: Vec<Value> = change["edits"].as_array().unwrap().iter().rev().cloned().collect();
    world.apply(&json!(edits));
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    assert_eq!(world.states(&proposal), ["accepted", "accepted"]);
    world.done();
}

#[test]
fn one_kind_can_be_asked_for() {
    let mut world = World::new();
    world.open();
    world.turn();
    let place = json!({"line": 1, "character": 0});
    let params = json!({
        "textDocument": {"uri": world.uri()},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": [], "only": ["refactor.rewrite.kkcode.nextHunk"]},
    });
    let actions = world.server.call("textDocument/codeAction", params);
    assert_eq!(titles(actions.as_array().unwrap()), ["Next hunk"]);
    world.done();
}

#[test]
fn several_hunks_at_one_range_are_told_apart() {
    let mut world = World::with(NEIGHBOURS, capabilities());
    world.open();
    let proposal = world.turn();
    let place = |line: u32| json!({"line": line, "character": 1});
    let params = json!({
        "textDocument": {"uri": world.uri()},
        "range": {"start": place(0), "end": place(3)},
        "context": {"diagnostics": []},
    });
    let actions = world.server.call("textDocument/codeAction", params).as_array().unwrap().clone();
    assert_eq!(
        titles(&actions[..10]),
        [
            "Accept hunk: one → ONE",
            "Reject hunk: one → ONE",
            "Accept hunk: three → THREE",
            "Reject hunk: three → THREE",
            "Accept file",
            "Reject file",
            "Accept all",
            "Show diff",
            "Next hunk",
            "Previous hunk",
        ]
    );
    world.execute(&actions[3]["command"].clone());
    assert_eq!(world.states(&proposal), ["pending", "rejected"]);
    world.done();
}

#[test]
fn a_stale_hunk_has_a_disabled_action_where_that_is_known() {
    let mut able = capabilities();
    able["textDocument"]["codeAction"]["disabledSupport"] = json!(true);
    let mut world = World::with(SCRIPT, able);
    world.open();
    world.turn();
    world.type_text(1, 0, 0, "my ");
    let actions = world.actions(1);
    assert_eq!(titles(&actions), ["Accept hunk", "Take proposal here", "Keep mine"]);
    let reason = "the hunk is stale: the lines that it replaces were changed";
    assert_eq!(actions[0]["disabled"]["reason"], reason);
    assert!(actions[0].get("command").is_none() && actions[0].get("data").is_none());
    world.done();
}

#[test]
fn text_of_a_model_is_tagged_where_tags_are_known() {
    let mut able = capabilities();
    able["textDocument"]["codeAction"]["tagSupport"] = json!({"valueSet": [1]});
    let mut world = World::with(SCRIPT, able);
    world.open();
    world.turn();
    let actions = world.actions(1);
    let tagged: Vec<&Value> = actions.iter().filter(|action| action.get("tags").is_some()).collect();
    assert_eq!(tagged.len(), 3, "accept: hunk, file, all");
    assert_eq!(actions[0]["tags"], json!([1]));
    let resolved = world.server.call("codeAction/resolve", actions[0].clone());
    assert_eq!(resolved["tags"], json!([1]));
    world.done();
}

#[test]
fn the_next_hunk_is_shown_and_behind_the_last_comes_the_first() {
    let mut world = World::with(SCRIPT, able("window", json!({"showDocument": {"support": true}})));
    world.open();
    world.turn();
    for (line, title, target) in
        [(1, "Next hunk", 4), (4, "Next hunk", 1), (1, "Previous hunk", 4), (4, "Previous hunk", 1)]
    {
        let command = world.action(line, title)["command"].clone();
        assert_eq!(world.execute(&command), json!({"shown": true}));
        let (id, params) = world.server.expect_request("window/showDocument");
        world.server.respond(&id, Ok(json!({"success": true})));
        assert_eq!((&params["uri"], &params["takeFocus"]), (&json!(world.uri()), &json!(true)));
        assert_eq!(params["selection"]["start"]["line"], target, "{title} from {line}");
    }
    world.done();
}

#[test]
fn a_client_that_does_not_show_documents_is_told_the_place() {
    let mut world = World::new();
    world.open();
    world.turn();
    let command = world.action(1, "Next hunk")["command"].clone();
    assert_eq!(world.execute(&command), json!({"shown": false}));
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().ends_with("x y.txt:5"), "{message}");
    world.done();
}

#[test]
fn a_document_that_the_client_does_not_show_after_all_is_named() {
    let mut world = World::with(SCRIPT, able("window", json!({"showDocument": {"support": true}})));
    world.open();
    world.turn();
    let command = world.action(4, "Next hunk")["command"].clone();
    assert_eq!(world.execute(&command), json!({"shown": true}));
    let (id, _) = world.server.expect_request("window/showDocument");
    world.server.respond(&id, Ok(json!({"success": false})));
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().ends_with("x y.txt:2"), "{message}");
    world.done();
}

#[test]
fn the_diff_is_opened_as_a_virtual_document_or_said_to_be_in_hovers() {
    let mut world = World::with(SCRIPT, able("window", json!({"showDocument": {"support": true}})));
    world.open();
    let proposal = world.turn();
    let command = world.action(1, "Show diff")["command"].clone();
    assert_eq!(world.execute(&command), json!({"shown": true}));
    let (id, params) = world.server.expect_request("window/showDocument");
    world.server.respond(&id, Ok(json!({"success": true})));
    assert_eq!(params["uri"], world.virtual_uri("kkcode-proposed", &proposal));
    let unknown = json!({"proposalId": proposal, "uri": "file:///nowhere"});
    assert_eq!(world.server.command("kkcode.file.diff", unknown).unwrap_err().code, -32602);
    world.done();

    let mut world = World::with(SCRIPT, plain(able("window", json!({"showDocument": {"support": true}}))));
    world.open();
    world.server.on_request("window/showDocument", |_| Ok(json!({"success": true})));
    world.plain_turn();
    let command = world.action(1, "Show diff")["command"].clone();
    assert_eq!(world.execute(&command), json!({"shown": false}));
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains("hover over a hunk"), "{message}");
    world.done();
}

#[test]
fn both_sides_of_a_file_are_virtual_documents() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.type_text(0, 0, 3, "ONCE");
    let (base, proposed) =
        (world.virtual_uri("kkcode-base", &proposal), world.virtual_uri("kkcode-proposed", &proposal));
    for method in ["kkcode/proposal/content", "workspace/textDocumentContent"] {
        let mut text = |uri: &str| world.server.call(method, json!({"uri": uri}));
        assert_eq!(text(&base), json!({"text": super::TEXT}));
        assert_eq!(text(&proposed), json!({"text": "ONCE\nTWO\nthree\nfour\nFIVE\nSIX\n"}));
        for unknown in [
            "file:///a",
            "kkcode-proposed:/prop_x/a",
            &format!("kkcode-base:/{proposal}/nowhere"),
            "kkcode-base:nonsense",
        ] {
            let refused = world.server.request(method, json!({"uri": unknown})).unwrap_err();
            assert_eq!(refused.code, -32602, "{unknown}: {refused}");
            assert!(!refused.message.is_empty());
        }
    }
    world.done();
}

#[test]
fn a_virtual_document_has_actions_and_hovers_of_its_own() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let uri = world.virtual_uri("kkcode-proposed", &proposal);
    // In the proposed text the second hunk has two lines: 4 and 5.
    for line in [4, 5] {
        assert_eq!(titles(&world.actions_by(&uri, line, 1))[0], "Accept hunk", "line {line}");
        let hover = world.hover(&uri, line);
        assert_eq!(hover["range"]["end"]["line"], 6, "{hover}");
    }
    assert!(world.actions_by(&uri, 3, 1).is_empty());
    let action = world.actions_by(&uri, 5, 1)[0].clone();
    let resolved = world.server.call("codeAction/resolve", action);
    let change = resolved["edit"]["documentChanges"][0].clone();
    assert_eq!(change["textDocument"]["uri"], world.uri());
    world.apply(&change["edits"]);
    assert_eq!(world.states(&proposal), ["pending", "accepted"]);
    world.done();
}

#[test]
fn a_virtual_document_of_a_closed_file_is_decided_by_commands() {
    let mut world = World::new();
    let proposal = world.turn();
    let uri = world.virtual_uri("kkcode-proposed", &proposal);
    let command = world.actions_by(&uri, 1, 1)[0]["command"].clone();
    assert_eq!(world.execute(&command), json!({"status": "accepted"}));
    assert_eq!(world.on_disk(), "one\nTWO\nthree\nfour\nfive\n");
    world.done();
}

#[test]
fn an_outdated_virtual_document_is_refreshed_once() {
    let mut world = World::with(SCRIPT, able("workspace/textDocumentContent", json!({})));
    world.open();
    let proposal = world.turn();
    let uri = world.virtual_uri("kkcode-proposed", &proposal);
    let method = "workspace/textDocumentContent";
    world.server.call(method, json!({"uri": uri}));
    for (text, expected) in [("a", "aone"), ("b", "baone")] {
        world.type_text(0, 0, 0, text);
        let (id, params) = world.server.expect_request(CONTENT_REFRESH);
        world.server.respond(&id, Ok(Value::Null));
        assert_eq!(params, json!({"uri": uri}));
        let shown = world.server.call(method, json!({"uri": uri}));
        assert!(shown["text"].as_str().unwrap().starts_with(&format!("{expected}\nTWO\n")), "{shown}");
    }
    world.server.take_unread();
    let hunk = world.hunks(&proposal)[0].id.clone();
    world.hunk_command("kkcode.hunk.reject", &proposal, &hunk).unwrap();
    let (id, _) = world.server.expect_request(CONTENT_REFRESH);
    world.server.respond(&id, Ok(Value::Null));
    world.done();
}
