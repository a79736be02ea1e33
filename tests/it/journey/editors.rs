//! Two editors on one proposal: each decides, both know; and servers that are killed at any moment.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kkcode_tests::TestServer;
use serde_json::json;

use super::{World, capabilities, options, start};

fn states(server: &mut TestServer, proposal: &str) -> Vec<String> {
    let shown = server.command("kkcode.proposal.show", json!({"proposalId": proposal})).unwrap();
    let hunks = shown["files"][0]["hunks"].as_array().unwrap();
    hunks.iter().map(|hunk| hunk["state"].as_str().unwrap().to_owned()).collect()
}

/// Waits until so many hunks are told to be pending by an event behind this one, and returns its number.
fn told_counts(server: &mut TestServer, proposal: &str, pending: u64, behind: u64) -> u64 {
    server.wait_for("the other editor's decision", |message| match message {
        kkcode_tests::Message::Notification { method, params }
            if method == "kkcode/proposal/didChange"
                && params["proposalId"] == proposal
                && params["files"][0]["pending"] == pending =>
        {
            params["seq"].as_u64().filter(|seq| *seq > behind)
        }
        _ => None,
    })
}

/// Starts another editor's server, of which it is read what it tells of proposals.
fn attentive(world: &World) -> TestServer {
    let other = kkcode_tests::Options::new()
        .home(world.dir.path().join("home"))
        .workspace(&world.dir.path().join("work"))
        .ignore("kkcode/turn/didUpdate")
        .allow_unread()
        .capabilities(capabilities());
    other.initialized()
}

/// Asks until there is an answer: nothing is sent when a server has taken in what another one wrote.
fn wait_until<T>(server: &mut TestServer, mut ask: impl FnMut(&mut TestServer) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask(server) {
            return answer;
        }
        assert!(Instant::now() < end, "what is waited for does not happen");
    }
}

#[test]
fn what_one_editor_decides_the_other_is_told() {
    let mut world = World::new();
    let mut other = attentive(&world);
    let proposal = world.turn();
    let proposed = told_counts(&mut other, &proposal, 2, 0);
    assert_eq!(states(&mut other, &proposal), ["pending", "pending"]);
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    let reject = json!({"proposalId": proposal, "hunkId": ids[0]});
    world.server.command("kkcode.hunk.reject", reject.clone()).unwrap();
    told_counts(&mut other, &proposal, 1, proposed);
    assert_eq!(states(&mut other, &proposal), ["rejected", "pending"]);
    let again = other.command("kkcode.hunk.accept", reject).unwrap_err();
    assert!(again.code == -32803 && again.message.contains("rejected already"), "{again}");
    // And the other way round: the second editor writes the file that neither has open.
    other.command("kkcode.hunk.accept", json!({"proposalId": proposal, "hunkId": ids[1]})).unwrap();
    assert_eq!(world.on_disk(), "one\ntwo\nthree\nfour\nFIVE\nSIX\n");
    let list = wait_until(&mut world.server, |server| {
        let shown = server.command("kkcode.proposal.show", json!({"proposalId": proposal})).unwrap();
        (shown["state"] != "open").then_some(shown)
    });
    assert_eq!(list["state"], "partial");
    other.shutdown();
    world.done();
}

#[test]
fn what_was_there_before_is_told_with_the_number_of_its_last_event() {
    let mut world = World::new();
    let proposal = world.turn();
    let mut other = attentive(&world);
    // Typing is no event: what it makes of a hunk is told with the number of the last one.
    let document =
        json!({"uri": world.uri(), "languageId": "plaintext", "version": 1, "text": world.on_disk()});
    other.notify("textDocument/didOpen", json!({"textDocument": document}));
    let start = json!({"line": 1, "character": 0});
    let change = json!({"range": {"start": start, "end": start}, "text": "my "});
    let document = json!({"uri": world.uri(), "version": 2});
    other.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]}));
    let told = told_counts(&mut other, &proposal, 1, 0);
    let events = other.call("kkcode/events/since", json!({"seq": 0}));
    assert_eq!(json!(told), events["nextSeq"], "{events}");
    other.shutdown();
    world.done();
}

#[test]
fn an_unsaved_accept_in_one_editor_is_not_taken_back_by_the_other() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.accept_by_action(1);
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    // The second editor sees only the disk, which does not have the hunk yet.
    let mut other = start(&world.dir, capabilities());
    assert_eq!(states(&mut other, &proposal), ["accepted", "pending"]);
    other.shutdown();
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    std::fs::write(world.file(), &world.text).unwrap();
    world.server.notify("textDocument/didSave", json!({"textDocument": {"uri": world.uri()}}));
    let shown = world.show(&proposal);
    assert_eq!(shown["files"][0]["hunks"][0]["saved"], true);
    world.done();
}

#[test]
fn of_two_decisions_at_the_same_moment_one_holds_and_the_other_is_told() {
    for round in 0..6 {
        let mut world = World::new();
        let proposal = world.turn();
        let mut other = start(&world.dir, capabilities());
        let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
        assert_eq!(states(&mut other, &proposal), ["pending", "pending"]);
        let argument = json!({"proposalId": proposal, "hunkId": ids[0]});
        let call = |command: &str| json!({"command": command, "arguments": [argument]});
        let (mine, theirs) = if round % 2 == 0 {
            let mine = world.server.send_request("workspace/executeCommand", call("kkcode.hunk.reject"));
            (mine, other.send_request("workspace/executeCommand", call("kkcode.hunk.accept")))
        } else {
            let theirs = other.send_request("workspace/executeCommand", call("kkcode.hunk.accept"));
            (world.server.send_request("workspace/executeCommand", call("kkcode.hunk.reject")), theirs)
        };
        let (mine, theirs) = (world.server.response(mine), other.response(theirs));
        assert!(mine.is_ok() || theirs.is_ok(), "{mine:?} {theirs:?}");
        let verdict = if mine.is_ok() { "rejected" } else { "accepted" };
        wait_until(&mut world.server, |server| {
            (states(server, &proposal)[0] == states(&mut other, &proposal)[0]).then_some(())
        });
        let now = states(&mut other, &proposal)[0].clone();
        assert!(mine.is_ok() && theirs.is_ok() || now == verdict, "{now}: {mine:?} {theirs:?}");
        // The text never says otherwise than the verdict.
        assert_eq!(world.on_disk().contains("TWO"), now == "accepted", "{now}");
        other.take_unread();
        other.shutdown();
        world.done();
    }
}

const MANY: u32 = 40;

fn script_of_many() -> String {
    let call = |line| {
        let input = format!("path: \"x y.txt\", before: \"line {line}.\", after: \"LINE {line}!\"");
        format!("      - tool: {{name: edit, input: {{{input}}}}}")
    };
    let calls: Vec<String> = (0..MANY).map(call).collect();
    let end = "  - stream:\n      - text: \"Two hunks wait for you.\"\n";
    format!("turns:\n  - stream:\n{}\n{end}", calls.join("\n"))
}

/// Every decision that was told is there after a kill, whenever it comes, and every hunk has the name it had.
#[test]
fn what_was_told_survives_a_kill_at_any_moment() {
    let kills = if std::env::var_os("KKCODE_TEST_LONG").is_some() { 200 } else { 40 };
    let mut world = World::with(&script_of_many(), capabilities());
    let text: Vec<String> = (0..MANY).map(|line| format!("line {line}.\nbetween\n")).collect();
    std::fs::write(world.file(), text.concat()).unwrap();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    assert_eq!(ids.len(), usize::try_from(MANY).unwrap());
    let mut told: BTreeMap<String, &str> = BTreeMap::new();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |end: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % end
    };
    for kill in 0..kills {
        let hunk = ids[usize::try_from(random(ids.len() as u64)).unwrap()].clone();
        let now = told.get(&hunk).copied();
        let (command, verdict) = match (now, random(2)) {
            (None, 0) => ("kkcode.hunk.accept", "accepted"),
            (None, _) => ("kkcode.hunk.reject", "rejected"),
            (Some(_), _) => ("kkcode.review.undo", ""),
        };
        let argument = match command {
            "kkcode.review.undo" => json!({"proposalId": proposal}),
            _ => json!({"proposalId": proposal, "hunkId": hunk}),
        };
        let call = json!({"command": command, "arguments": [argument]});
        let id = world.server.send_request("workspace/executeCommand", call);
        if random(2) == 0 {
            // Killed in the middle, after up to three milliseconds.
            let until = Instant::now() + Duration::from_micros(random(3_000));
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        } else if world.server.response(id).is_ok() && !verdict.is_empty() {
            told.insert(hunk.clone(), verdict);
        }
        world = world.crash();
        let after = world.hunks(&proposal);
        let names: Vec<&String> = after.iter().map(|hunk| &hunk.id).collect();
        assert!(ids.iter().all(|id| names.contains(&id)) && names.len() == ids.len(), "kill {kill}");
        let disk = world.on_disk();
        for hunk in &after {
            let in_text = disk.contains(hunk.new.trim_end());
            assert_eq!(in_text, hunk.state == "accepted", "kill {kill}: {hunk:?}");
            assert!(["pending", "accepted", "rejected"].contains(&&*hunk.state), "kill {kill}: {hunk:?}");
        }
        if command == "kkcode.review.undo" {
            // Whatever of it was done is the truth now.
            told.clear();
        }
        for (id, verdict) in &told {
            let hunk = after.iter().find(|hunk| hunk.id == *id).unwrap();
            assert_eq!(hunk.state, *verdict, "kill {kill}: what was told is gone");
        }
        told = after
            .iter()
            .filter(|hunk| hunk.state != "pending")
            .map(|hunk| (hunk.id.clone(), if hunk.state == "accepted" { "accepted" } else { "rejected" }))
            .collect();
    }
    world.done();
}

#[test]
fn a_second_window_that_was_closed_leaves_no_socket() {
    let mut world = World::new();
    let file = world.dir.path().join("home/run");
    world.server.command("kkcode.status", json!({})).unwrap();
    let bells = || {
        let entries = std::fs::read_dir(&file).into_iter().flatten();
        entries.flatten().count()
    };
    let before = bells();
    let mut other = options(&world.dir).capabilities(capabilities()).initialized();
    other.command("kkcode.status", json!({})).unwrap();
    assert_eq!(bells(), before + 1);
    other.shutdown();
    assert_eq!(bells(), before);
    world.done();
}
