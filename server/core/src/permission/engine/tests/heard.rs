//! X-03 of the reliability study: who reads what strangers wrote sends nothing out on the word of a level.

use super::*;

const NAMED: &str = "https://example.org/named";

fn fetch(address: &str) -> Call {
    Call { tool: "webfetch".to_owned(), action: Action::Fetch(address.to_owned()) }
}

fn connected(line: &str) -> Call {
    let action = Action::Command { line: line.to_owned(), shell: Shell::Bash, network: true };
    Call { tool: "bash".to_owned(), action }
}

fn heard(level: Level, rules: &[Rule], call: &Call) -> Verdict {
    let (ground, disk) = frame();
    let heard = Heard { addresses: [NAMED.to_owned()].into() };
    let policy = Policy { level, rules: rules.to_vec(), heard: Some(Arc::new(heard)), ..Policy::default() };
    decide(&policy, &ground, &disk, call)
}

#[test]
fn x03_what_could_send_something_out_is_asked_at_every_level() {
    let foreign = Call { tool: "mcp_tool".to_owned(), action: Action::Other("{}".to_owned()) };
    for call in
        [connected("npm test"), connected("ls; npm test"), fetch("https://example.org/?d=secret"), foreign]
    {
        assert_eq!(decision(Yolo, &[], &call), Allow, "nothing came: {call:?}");
        let verdict = heard(Yolo, &[], &call);
        assert_eq!((verdict.decision, verdict.source), (Ask, Source::Network), "{call:?}");
        let all = rule(Allow, "*", &[], &[]);
        assert_eq!(heard(Yolo, std::slice::from_ref(&all), &call).decision, Ask, "{call:?}");
        assert_ne!(heard(Manual, &[all], &call).decision, Allow, "{call:?}");
        let own = rule(Allow, &call.tool, &[], &[]);
        assert_eq!(heard(Manual, &[own], &call).decision, Allow, "the user's word for the tool: {call:?}");
    }
    let prefix = rule(Allow, "bash", &["npm test"], &[]);
    assert_eq!(heard(Manual, std::slice::from_ref(&prefix), &connected("npm test")).decision, Allow);
    assert_eq!(heard(Yolo, &[prefix], &connected("npm test && npm publish")).decision, Ask);
}

#[test]
fn x03_what_sends_nothing_is_as_before() {
    let search = Call { tool: "websearch".to_owned(), ..fetch("https://search.example.org/?query=q") };
    for call in [connected("ls"), command("npm test"), fetch(NAMED), search, read("src/a"), edit(&["src/a"])]
    {
        let before = verdict(Yolo, &[], &call);
        assert_eq!((before.decision, &heard(Yolo, &[], &call)), (Allow, &before), "{call:?}");
    }
}

#[test]
fn x03_a_yes_for_the_session_is_for_the_command_with_the_network() {
    let (ground, disk) = frame();
    let (with, without) = (connected("npm test"), command("npm test"));
    let policy = |call: &Call| Policy {
        level: Yolo,
        approvals: vec![approval(&ground, call)],
        heard: Some(Arc::default()),
        ..Policy::default()
    };
    assert_eq!(decide(&policy(&with), &ground, &disk, &with).source, Source::Approval);
    assert_eq!(decide(&policy(&without), &ground, &disk, &with).decision, Ask);
}
