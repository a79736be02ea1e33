//! `run` on a real terminal asks there, and takes what is typed.

use std::fs;

use kkcode_tests::{Binary, Terminal, skip};

use super::{Place, READS, REFUSED};

/// A model that makes a folder, and is told what it expects of that.
const MAKES: &str = "
turns:
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - expect: [EXPECTED]
    stream: [{text: That was it.}]
";

/// A model that reads the same file twice.
const TWICE: &str = "
turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]
  - stream: [{tool: {name: read, input: {path: .env, offset: 1}}}]
  - stream: [{text: Both read.}]
";

/// Runs one turn in a terminal, with a shell around it that says how it ended and stays. None where there is no terminal.
fn run(place: &Place, test: &str) -> Option<Terminal> {
    if !Terminal::is_possible() {
        skip(test, "there is no tmux");
        return None;
    }
    let home = place.home();
    let script = format!(
        "trap : INT; cd '{}'; HOME='{home}' KKCODE_HOME='{home}' '{}' run 'go on'; echo ended with $?; exec cat",
        place.work().display(),
        Binary::Server.path().display(),
        home = home.display(),
    );
    Some(Terminal::start(home.parent().unwrap(), (160, 50), &["sh", "-c", &script]))
}

#[test]
fn once_is_asked_again_and_an_empty_line_is_no_answer() {
    let place = Place::new(&TWICE.replace("path: .env, offset: 1", "path: b.pem"));
    fs::write(place.work().join("b.pem"), "PEM\n").unwrap();
    let Some(terminal) = run(&place, "once_is_asked_again_and_an_empty_line_is_no_answer") else { return };
    terminal.shows(&["read .env", "1) Allow once", "3) Deny", "number, or what the agent is to do instead:"]);
    terminal.keys(&["Enter", "1", "Enter"]);
    // What is typed before the question is no answer to it.
    terminal.shows(&["`b.pem` may hold secrets"]);
    terminal.keys(&["1", "Enter"]);
    terminal.shows(&["Both read.", "ended with 0"]);
}

#[test]
fn a_session_is_asked_once() {
    let place = Place::new(TWICE);
    let Some(terminal) = run(&place, "a_session_is_asked_once") else { return };
    terminal.shows(&["2) Allow exactly this for the session"]);
    terminal.keys(&["2", "Enter"]);
    terminal.shows(&["Both read.", "ended with 0"]);
}

#[test]
fn always_is_chosen_by_its_number_and_writes_the_rule_that_is_shown() {
    let place = Place::new(&MAKES.replace("EXPECTED", "made the folder build"));
    let Some(terminal) = run(&place, "always_is_chosen_by_its_number_and_writes_the_rule_that_is_shown")
    else {
        return;
    };
    terminal.shows(&["3) Always allow in this workspace: mkdir `build`"]);
    terminal.keys(&["3", "Enter"]);
    terminal.shows(&["That was it.", "ended with 0"]);
    let learned = fs::read_to_string(place.home().join("learned-rules.yaml")).unwrap();
    assert!(learned.contains("- build"), "{learned}");
}

#[test]
fn other_words_are_a_no_that_the_agent_is_told() {
    let place = Place::new(REFUSED);
    let Some(terminal) = run(&place, "other_words_are_a_no_that_the_agent_is_told") else { return };
    terminal.shows(&["number, or what the agent is to do instead:"]);
    terminal.keys(&["look at the example", "Enter"]);
    terminal.shows(&["I have not.", "ended with 0"]);
}

#[test]
fn a_closed_terminal_is_a_no_and_never_always() {
    let place = Place::new(&MAKES.replace("EXPECTED", "the terminal was closed"));
    let Some(terminal) = run(&place, "a_closed_terminal_is_a_no_and_never_always") else { return };
    terminal.shows(&["3) Always allow in this workspace"]);
    terminal.keys(&["C-d"]);
    terminal.shows(&["That was it.", "ended with 0"]);
    assert!(!place.work().join("build").exists() && !place.home().join("learned-rules.yaml").exists());
}

#[test]
fn an_interrupt_ends_the_turn_and_nothing_is_done() {
    let place = Place::new(READS);
    let Some(terminal) = run(&place, "an_interrupt_ends_the_turn_and_nothing_is_done") else { return };
    terminal.shows(&["number, or what the agent is to do instead:"]);
    terminal.keys(&["C-c"]);
    terminal.shows(&["the turn ended as cancelled", "ended with 1"]);
    assert!(!terminal.text().contains("I have read it."));
}
