//! Reviewing beyond yes and no: lines, stale hunks, undo and redo, edits that are applied first, comments, the user's own text.

use std::fs;

use serde_json::{Value, json};

use super::{World, capabilities};

const WIDE: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "x y.txt", before: "two\nthree\nfour", after: "2\n3\n4\n4.5"}}
  - stream:
      - text: "Two hunks wait for you."
  - expect: ["Review of what you proposed", "My comments on your proposal", "louder"]
    stream:
      - text: "I see."
"#;

impl World {
    fn accept(
        &mut self,
        proposal: &str,
        hunk: &str,
        extra: &Value,
    ) -> Result<Value, kkcode_tests::ResponseError> {
        self.decide("kkcode.hunk.accept", proposal, hunk, extra)
    }

    fn decide(
        &mut self,
        command: &str,
        proposal: &str,
        hunk: &str,
        extra: &Value,
    ) -> Result<Value, kkcode_tests::ResponseError> {
        let mut argument = json!({"proposalId": proposal, "hunkId": hunk});
        for (name, value) in extra.as_object().expect("members") {
            argument[name] = value.clone();
        }
        self.server.command(command, argument)
    }

    /// Takes our edit as an editor does, and says so.
    pub(super) fn take_edit(&mut self) {
        let (id, params) = self.server.expect_request("workspace/applyEdit");
        let change = &params["edit"]["documentChanges"][0];
        assert_eq!(change["textDocument"], json!({"uri": self.uri(), "version": self.version}));
        // From the last to the first, so that none moves another.
        let mut edits = change["edits"].as_array().expect("edits").clone();
        edits.reverse();
        self.apply(&Value::Array(edits));
        self.server.respond(&id, Ok(json!({"applied": true})));
    }

    fn undo(&mut self) -> Value {
        self.server.command("kkcode.review.undo", json!({})).unwrap()
    }

    fn redo(&mut self) -> Value {
        self.server.command("kkcode.review.redo", json!({})).unwrap()
    }
}

#[test]
fn some_lines_are_taken_some_refused_and_the_rest_waits() {
    let mut world = World::with(WIDE, capabilities());
    world.open();
    let proposal = world.turn();
    let whole = world.hunks(&proposal)[0].id.clone();
    let status = world.accept(&proposal, &whole, &json!({"lines": {"old": [1, 2], "new": [1, 2]}})).unwrap();
    assert_eq!(status, json!({"status": "applying"}));
    world.take_edit();
    assert_eq!(world.text, "one\ntwo\n3\nfour\nfive\n");
    let shown = world.show(&proposal);
    let parts: Vec<&Value> = shown["files"][0]["hunks"].as_array().unwrap().iter().collect();
    let of = |state: &str| parts.iter().filter(|hunk| hunk["state"] == state).count();
    assert_eq!((of("pending"), of("accepted"), of("superseded")), (2, 1, 1), "{shown}");
    assert!(parts.iter().all(|hunk| hunk["hunkId"] == whole || hunk["splitFrom"] == whole), "{shown}");
    let last = parts.iter().find(|hunk| hunk["newText"] == "4\n4.5\n").expect("the rest");
    let last = last["hunkId"].as_str().unwrap().to_owned();
    let lines = json!({"lines": {"new": [1, 2]}, "reason": "no half numbers"});
    assert_eq!(
        world.decide("kkcode.hunk.reject", &proposal, &last, &lines).unwrap(),
        json!({"status": "rejected"})
    );
    world.server.command("kkcode.proposal.accept", json!({"proposalId": proposal})).unwrap();
    world.take_edit();
    assert_eq!(world.text, "one\n2\n3\n4\nfive\n");
    let nonsense = world.accept(&proposal, &last, &json!({"lines": {"old": [7, 9]}})).unwrap_err();
    assert_eq!(nonsense.code, -32803, "{nonsense}");
    world.done();
}

#[test]
fn lines_that_a_hunk_does_not_have_are_named() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let hunk = world.hunks(&proposal)[0].id.clone();
    let refused = world.accept(&proposal, &hunk, &json!({"lines": {"old": [0, 7]}})).unwrap_err();
    assert!(refused.code == -32602 && refused.message.contains("1 old and 1 new lines"), "{refused}");
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.done();
}

#[test]
fn a_stale_hunk_that_cannot_be_merged_is_taken_all_the_same() {
    let mut world = World::with(WIDE, capabilities());
    world.open();
    let proposal = world.turn();
    let hunk = world.hunks(&proposal)[0].id.clone();
    // The user adds a line inside; the agent changed those around it. Adjoining changes conflict.
    world.type_text(2, 0, 0, "mine\n");
    let shown = world.show(&proposal);
    assert_eq!(shown["files"][0]["hunks"][0]["state"], "stale");
    assert_eq!(shown["files"][0]["hunks"][0]["conflict"]["currentText"], "two\nmine\nthree\nfour\n");
    assert!(shown["files"][0]["hunks"][0]["conflict"].get("mergedText").is_none());
    let refused = world.accept(&proposal, &hunk, &json!({"resolution": "merge"})).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("theirs"), "{refused}");
    let refused = world.accept(&proposal, &hunk, &json!({})).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("stale"), "{refused}");
    world.accept(&proposal, &hunk, &json!({"resolution": "theirs"})).unwrap();
    world.take_edit();
    assert_eq!(world.text, "one\n2\n3\n4\n4.5\nfive\n");
    assert_eq!(world.states(&proposal), ["accepted"]);
    // Taking it all the same is undone like any other: the user's lines are back.
    world.undo();
    world.take_edit();
    assert_eq!(world.text, "one\ntwo\nmine\nthree\nfour\nfive\n");
    world.done();
}

const WORDS: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "x y.txt", before: "two\nthree", after: "two and\nthree, more"}}
  - stream:
      - text: "Two hunks wait for you."
"#;

#[test]
fn a_merge_is_previewed_taken_and_undone() {
    let mut world = World::with(WORDS, capabilities());
    world.open();
    let proposal = world.turn();
    let hunk = world.hunks(&proposal)[0].id.clone();
    world.type_text(1, 0, 0, "my ");
    let shown = world.show(&proposal);
    let hunks = &shown["files"][0]["hunks"];
    assert_eq!(hunks[0]["conflict"]["mergedText"], "my two and\nthree, more\n");
    let merge = world.action(1, "Merge")["command"].clone();
    let undone = "one\nmy two\nthree\nfour\nfive\n";
    assert_eq!(world.text, undone);
    world.server.call("workspace/executeCommand", merge);
    world.take_edit();
    assert_eq!(world.text, "one\nmy two and\nthree, more\nfour\nfive\n");
    assert_eq!(world.states(&proposal), ["accepted"]);
    world.undo();
    world.take_edit();
    assert_eq!(world.text, undone);
    // What it proposes now is the merge.
    assert_eq!(world.states(&proposal), ["pending"]);
    world.accept(&proposal, &hunk, &json!({})).unwrap();
    world.take_edit();
    assert_eq!(world.text, "one\nmy two and\nthree, more\nfour\nfive\n");
    world.done();
}

#[test]
fn keep_mine_is_a_reject() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.type_text(1, 3, 3, "!");
    let keep = world.action(1, "Keep mine")["command"].clone();
    world.server.call("workspace/executeCommand", keep);
    assert_eq!(world.states(&proposal), ["rejected", "pending"]);
    assert_eq!(world.text, "one\ntwo!\nthree\nfour\nfive\n");
    world.done();
}

#[test]
fn decisions_are_undone_and_made_again_across_a_kill() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.accept_by_action(1);
    let second = world.hunks(&proposal)[1].id.clone();
    world.decide("kkcode.hunk.reject", &proposal, &second, &json!({"reason": "too long"})).unwrap();
    let mut world = world.crash();
    world.open();
    assert_eq!(world.states(&proposal), ["accepted", "rejected"]);
    let undone = world.undo();
    assert_eq!(undone["decision"]["action"], "reject");
    assert_eq!(undone["decision"]["reason"], "too long");
    assert_eq!(undone["decision"]["hunkIds"], json!([second]));
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.type_text(0, 0, 0, "zero\n");
    let undone = world.undo();
    assert_eq!(undone["decision"]["action"], "accept");
    world.take_edit();
    assert_eq!(world.text, "zero\none\ntwo\nthree\nfour\nfive\n");
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    assert_eq!(world.undo(), json!({}));
    world.redo();
    world.take_edit();
    world.redo();
    assert_eq!(world.states(&proposal), ["accepted", "rejected"]);
    assert_eq!(world.redo(), json!({}));
    world.done();
}

#[test]
fn an_accept_on_the_disk_is_undone_on_the_disk() {
    let mut world = World::new();
    let proposal = world.turn();
    world.server.command("kkcode.proposal.accept", json!({"proposalId": proposal})).unwrap();
    assert_eq!(world.on_disk(), "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    let undone = world.undo();
    assert_eq!(undone["decision"]["hunkIds"].as_array().unwrap().len(), 2, "one decision, one undo");
    assert_eq!(world.on_disk(), super::TEXT);
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.redo();
    fs::write(world.file(), world.on_disk().replace("SIX", "7")).unwrap();
    let refused = world.server.command("kkcode.review.undo", json!({})).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("were changed since"), "{refused}");
    assert_eq!(world.on_disk(), "one\nTWO\nthree\nfour\nFIVE\n7\n", "all or none");
    world.done();
}

#[test]
fn at_accept_edits_hunks_are_in_the_text_at_once_and_kept_or_undone_afterwards() {
    let mut world =
        World::with(&super::SCRIPT.replace("proposed, not yet accepted", "applied to"), capabilities());
    world.open();
    let argument = json!({"prompt": "shout, please", "level": "accept-edits"});
    world.server.command("kkcode.turn.start", argument).unwrap();
    world.take_edit();
    world.take_edit();
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    let proposal = finished["proposalIds"][0].as_str().unwrap().to_owned();
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    assert_eq!(world.states(&proposal), ["applied", "applied"]);
    let keep = world.action(1, "Keep hunk")["command"].clone();
    assert_eq!(world.server.call("workspace/executeCommand", keep), json!({"status": "accepted"}));
    let undo = world.action(4, "Undo hunk")["command"].clone();
    assert_eq!(world.server.call("workspace/executeCommand", undo), json!({"status": "applying"}));
    world.take_edit();
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nfive\n");
    assert_eq!(world.states(&proposal), ["accepted", "rejected"]);
    world.done();
}

#[test]
fn at_accept_edits_a_file_that_is_not_open_is_written() {
    let mut world =
        World::with(&super::SCRIPT.replace("proposed, not yet accepted", "applied to"), capabilities());
    let argument = json!({"prompt": "shout, please", "level": "accept-edits"});
    world.server.command("kkcode.turn.start", argument).unwrap();
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    let proposal = finished["proposalIds"][0].as_str().unwrap().to_owned();
    assert_eq!(world.states(&proposal), ["applied", "applied"]);
    assert_eq!(world.on_disk(), "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    world.server.command("kkcode.proposal.reject", json!({"proposalId": proposal})).unwrap();
    assert_eq!(world.on_disk(), super::TEXT);
    world.done();
}

#[test]
fn comments_and_decisions_go_to_the_agent_as_one_round() {
    let mut world = World::with(WIDE, capabilities());
    world.open();
    let proposal = world.turn();
    let refused = world.server.command("kkcode.review.send", json!({"proposalId": proposal})).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("nothing to send"), "{refused}");
    let hunk = world.hunks(&proposal)[0].id.clone();
    let about = json!({"proposalId": proposal, "uri": world.uri(), "hunkId": hunk, "text": "louder"});
    let comment = world.server.command("kkcode.review.comment", about).unwrap();
    assert!(comment["commentId"].is_string());
    let both = json!({
        "proposalId": proposal, "uri": world.uri(), "hunkId": hunk, "text": "x",
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
    });
    assert_eq!(world.server.command("kkcode.review.comment", both).unwrap_err().code, -32602);
    // Comments outlive the server.
    let mut world = world.crash();
    world.open();
    let hunk = world.hunks(&proposal)[0].id.clone();
    world.decide("kkcode.hunk.reject", &proposal, &hunk, &json!({"reason": "no digits"})).unwrap();
    let sent = world.server.command("kkcode.review.send", json!({"proposalId": proposal})).unwrap();
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(
        (&finished["turnId"], &finished["status"]),
        (&sent["turnId"], &json!("completed")),
        "{finished}"
    );
    let again = world.server.command("kkcode.review.send", json!({"proposalId": proposal})).unwrap_err();
    assert_eq!(again.code, -32803, "each comment is told once");
    world.done();
}

#[test]
fn the_users_own_version_of_what_is_proposed_takes_its_place() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let kept = world.hunks(&proposal)[0].id.clone();
    let text = "one\nTWO\nthree\nfour\nFIVE!\n";
    let edited = json!({"proposalId": proposal, "uri": world.uri(), "text": text});
    let result = world.server.command("kkcode.proposal.edit", edited).unwrap();
    let hunks = result["hunks"].as_array().unwrap();
    assert_eq!(hunks.len(), 2);
    assert_eq!(hunks[0]["hunkId"], kept, "what was left alone keeps its name");
    assert_eq!(hunks[1]["newText"], "FIVE!\n");
    world.server.command("kkcode.proposal.accept", json!({"proposalId": proposal})).unwrap();
    world.take_edit();
    assert_eq!(world.text, text);
    world.done();
}

#[test]
fn a_client_that_was_away_catches_up_by_number() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let all = world.server.call("kkcode/events/since", json!({"seq": 0}));
    let kinds: Vec<&Value> = all["events"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert!(kinds.contains(&&json!("proposalChanged")) && kinds.contains(&&json!("turnFinished")), "{all}");
    assert!(all["turns"].as_array().unwrap().is_empty());
    let seq = all["nextSeq"].clone();
    let mut world = world.crash();
    world.open();
    let nothing = world.server.call("kkcode/events/since", json!({"seq": seq}));
    assert_eq!((&nothing["events"], &nothing["nextSeq"]), (&json!([]), &seq));
    world.accept_by_action(1);
    world.states(&proposal);
    let new = world.server.call("kkcode/events/since", json!({"seq": seq}));
    assert_eq!(new["events"][0]["proposalId"], proposal);
    assert!(new["nextSeq"].as_u64() > seq.as_u64(), "{new}");
    world.done();
}
