//! Clients without our notifications are asked by messages; the command line asks on a terminal, or says no.

use std::process::Command;

use kkcode_tests::{Binary, Message};
use serde_json::{Value, json};

use super::{Place, READS, REFUSED, answer, asked, resolved, start};

fn buttons(params: &Value) -> Vec<&str> {
    params["actions"].as_array().unwrap().iter().map(|action| action["title"].as_str().unwrap()).collect()
}

#[test]
fn a_plain_client_answers_by_a_button() {
    let place = Place::new(READS);
    let mut server = place.plain("plain");
    start(&mut server, &json!({}));
    let (id, params) = server.expect_request("window/showMessageRequest");
    assert_eq!(buttons(&params), ["Allow once", "Allow exactly this for the session", "Deny"]);
    assert!(params["message"].as_str().unwrap().contains("read .env"), "{params}");
    server.respond(&id, Ok(json!({"title": "Allow once"})));
    let told = server.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("I have read it."), "{told}");
}

#[test]
fn a_message_is_taken_back_when_another_editor_answers() {
    let place = Place::new(READS);
    let (mut plain, mut other) = (place.plain("plain"), place.server("other"));
    start(&mut plain, &json!({}));
    let (id, _) = plain.expect_request("window/showMessageRequest");
    let prompt = asked(&mut other);
    assert!(answer(&mut other, &prompt, "allow_once"));
    let cancelled = plain.expect_notification("$/cancelRequest");
    assert_eq!(cancelled["id"], id);
    // A client that did not see that answers late, and is not heard.
    plain.respond(&id, Ok(json!({"title": "Deny"})));
    let told = plain.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("I have read it."), "{told}");
    resolved(&mut other);
    let finished = |message: &Message| (message.method() == Some("kkcode/turn/didFinish")).then_some(());
    other.wait_for("the end", finished);
}

#[test]
fn without_a_terminal_what_would_be_asked_is_denied_and_that_is_said() {
    let script =
        REFUSED.replace("denied by the user, who says: look at the example", "runs without a terminal");
    let place = Place::new(&script);
    let mut command = Command::new(Binary::Server.path());
    command.args(["run", "go on"]).current_dir(place.work());
    command.env("HOME", place.home()).env("KKCODE_HOME", place.home());
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), b"I have not.\n".as_slice()),
        "{errors}"
    );
    assert!(
        errors.contains("denied, for nobody is there to be asked") && errors.contains("read .env"),
        "{errors}"
    );
}
