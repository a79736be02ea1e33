//! Sessions: listed, gone on with, copied, named and deleted.

use serde_json::{Value, json};

use super::{SCRIPT, World, capabilities};

fn script() -> String {
    format!(
        "{SCRIPT}  - expect: [and louder]\n    stream: [{{text: No.}}]\n  - stream: [{{text: Still no.}}]\n"
    )
}

fn command(world: &mut World, name: &str, argument: Value) -> Value {
    world.server.command(name, argument).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(world: &mut World) -> Vec<Value> {
    command(world, "kkcode.session.list", json!({}))["sessions"].as_array().unwrap().clone()
}

fn go_on(world: &mut World, session: &Value, prompt: &str) -> Value {
    command(world, "kkcode.turn.start", json!({"prompt": prompt, "sessionId": session}));
    world.server.expect_notification("kkcode/turn/didFinish")
}

#[test]
fn a_session_goes_on_after_a_restart_and_is_shown_with_its_turns() {
    let mut world = World::with(&script(), capabilities());
    let proposal = world.turn();
    let session = list(&mut world)[0]["sessionId"].clone();
    let mut world = world.crash();
    assert_eq!(go_on(&mut world, &session, "and louder")["reply"], "No.");
    let listed = list(&mut world);
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["title"], &listed[0]["turnCount"], &listed[0]["openProposalId"]),
        (&json!("shout, please"), &json!(2), &json!(proposal))
    );
    assert!(listed[0]["workspaceUri"].as_str().unwrap().ends_with("/work"), "{listed:?}");
    let shown = command(&mut world, "kkcode.session.show", json!({"sessionId": session}));
    assert_eq!(shown["usage"], json!({"inputTokens": 100, "outputTokens": 20}));
    let turns = shown["turns"].as_array().unwrap();
    assert_eq!((&turns[0]["prompt"], &turns[0]["mode"]), (&json!("shout, please"), &json!("agent")));
    assert_eq!(turns[0]["proposalIds"], json!([proposal]));
    assert_eq!((&turns[1]["reply"], &turns[1]["status"]), (&json!("No."), &json!("completed")));
    assert!(turns[1]["endedAt"].as_str().unwrap() >= turns[1]["startedAt"].as_str().unwrap());
    world.done();
}

#[test]
fn sessions_and_turns_are_shown_in_parts() {
    let mut world = World::with("turns: [{stream: [{text: A.}]}, {stream: [{text: B.}]}]", capabilities());
    for prompt in ["first", "second", "third"] {
        command(&mut world, "kkcode.turn.start", json!({"prompt": prompt}));
        world.server.expect_notification("kkcode/turn/didFinish");
    }
    let part = command(&mut world, "kkcode.session.list", json!({"limit": 1, "offset": 1}));
    let (sessions, all) = (part["sessions"].as_array().unwrap(), list(&mut world));
    assert_eq!((sessions.len(), &sessions[0], &part["total"]), (1, &all[1], &json!(3)));
    let behind = command(&mut world, "kkcode.session.list", json!({"offset": 3}));
    assert_eq!(behind, json!({"sessions": [], "total": 3}));

    let session = &all[0]["sessionId"];
    go_on(&mut world, session, "and more");
    let mut show = |argument| command(&mut world, "kkcode.session.show", argument);
    let last = show(json!({"sessionId": session, "limit": 1}));
    assert_eq!((&last["turns"][0]["reply"], &last["earlier"]), (&json!("B."), &json!(1)));
    let before = show(json!({"sessionId": session, "before": last["turns"][0]["turnId"]}));
    assert_eq!((&before["turns"][0]["reply"], &before["earlier"]), (&json!("A."), &json!(0)));
    assert_eq!(before["turns"].as_array().unwrap().len(), 1);
    world.done();
}

#[test]
fn a_copy_goes_on_in_its_own_way() {
    let mut world = World::with(&script(), capabilities());
    world.turn();
    let session = list(&mut world)[0]["sessionId"].clone();
    let copy = command(&mut world, "kkcode.session.fork", json!({"sessionId": session}));
    assert_eq!((&copy["forkedFrom"], &copy["turnCount"]), (&session, &json!(1)));
    assert_eq!(copy.get("openProposalId"), None, "the proposal stays with the original");
    assert_eq!(go_on(&mut world, &copy["sessionId"], "and louder")["reply"], "No.");
    assert_eq!(go_on(&mut world, &copy["sessionId"], "please")["reply"], "Still no.");
    assert_eq!(go_on(&mut world, &session, "and louder")["reply"], "No.", "the original knows nothing of it");
    let counts: Vec<Value> = list(&mut world).iter().map(|session| session["turnCount"].clone()).collect();
    assert_eq!(counts, [2, 3], "last used first");
    world.done();
}

#[test]
fn a_session_is_named_and_deleted_with_its_proposal() {
    let mut world = World::with(&script(), capabilities());
    let proposal = world.turn();
    let session = list(&mut world)[0]["sessionId"].clone();
    let copy = command(&mut world, "kkcode.session.fork", json!({"sessionId": session}))["sessionId"].clone();
    let renamed =
        command(&mut world, "kkcode.session.rename", json!({"sessionId": session, "title": " Loud "}));
    assert_eq!(renamed["title"], "Loud");
    let empty = world.server.command("kkcode.session.rename", json!({"sessionId": session, "title": " "}));
    assert_eq!(empty.unwrap_err().code, -32602);
    let delete =
        |world: &mut World, id: &Value| command(world, "kkcode.session.delete", json!({"sessionId": id}));
    assert_eq!(delete(&mut world, &session), json!({"deleted": true}));
    assert_eq!(delete(&mut world, &session), json!({"deleted": false}));
    let gone = world.server.command("kkcode.proposal.show", json!({"proposalId": proposal})).unwrap_err();
    assert_eq!(gone.code, -32602, "{gone}");
    assert_eq!(list(&mut world).len(), 1);
    assert_eq!(go_on(&mut world, &copy, "and louder")["reply"], "No.", "the copy lives on");
    for name in ["kkcode.session.show", "kkcode.session.fork"] {
        let unknown = world.server.command(name, json!({"sessionId": session})).unwrap_err();
        assert!(unknown.message.starts_with("there is no session `"), "{name}: {unknown}");
    }
    world.done();
}

#[test]
fn a_session_in_which_a_turn_runs_is_not_deleted() {
    let script = "turns:\n  - stream:\n      - delayMs: 3600000\n";
    let mut world = World::with(script, capabilities());
    let started = command(&mut world, "kkcode.turn.start", json!({"prompt": "p"}));
    let session = json!({"sessionId": started["sessionId"]});
    assert_eq!(list(&mut world)[0]["activeTurnId"], started["turnId"]);
    for name in ["kkcode.session.delete", "kkcode.session.fork"] {
        let refused = world.server.command(name, session.clone()).unwrap_err();
        assert_eq!(refused.code, -32803, "{name}: {refused}");
    }
    command(&mut world, "kkcode.turn.cancel", json!({"turnId": started["turnId"]}));
    world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(command(&mut world, "kkcode.session.delete", session), json!({"deleted": true}));
    world.done();
}

/// One more than a server has at hand when it starts.
const MANY: usize = 201;

#[test]
fn what_is_too_old_to_be_at_hand_is_shown_or_says_where_it_is() {
    let mut world = World::with(&script(), capabilities());
    let first = world.turn();
    let session = list(&mut world)[0]["sessionId"].clone();
    let turn = world.show(&first)["origin"]["turnId"].clone();
    for _ in 0..MANY {
        world.turn();
    }
    let mut world = world.crash();
    let shown = command(&mut world, "kkcode.turn.show", json!({"turnId": turn}));
    assert_eq!((&shown["status"], &shown["sessionId"]), (&json!("completed"), &session), "{shown}");
    assert_eq!(
        (&shown["proposalIds"], &shown["reply"]),
        (&json!([first]), &json!("Two hunks wait for you."))
    );
    let refused = world.server.command("kkcode.proposal.show", json!({"proposalId": first})).unwrap_err();
    assert_eq!(refused.code, -32803);
    assert!(refused.message.contains(session.as_str().unwrap()), "{refused}");
    let missing = world.server.command("kkcode.proposal.show", json!({"proposalId": "none"})).unwrap_err();
    assert!(missing.message.contains("there is no proposal `none`"), "{missing}");

    let listed = list(&mut world);
    assert_eq!(listed.last().map(|last| &last["sessionId"]), Some(&session), "the oldest is listed too");
    let whole = command(&mut world, "kkcode.session.show", json!({"sessionId": session}));
    assert_eq!(whole["turns"][0]["turnId"], turn);
    let copy = command(&mut world, "kkcode.session.fork", json!({"sessionId": session}));
    assert_eq!(copy["turnCount"], json!(1), "{copy}");
    assert_eq!(go_on(&mut world, &session, "and louder")["reply"], "No.");
    assert_eq!(world.show(&first)["proposalId"], json!(first), "as was said, it is at hand again");
    world.done();
}
