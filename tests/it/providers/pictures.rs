//! Pictures reach the model: those that the user adds, and those that the agent reads.

use std::fs;

use serde_json::{Value, json};

use super::loopback::{Loopback, calls, refuses, says};
use super::waits::{run, server, world};

/// The first bytes of a PNG, which is all that is looked at here.
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// The same in base64, as a request has it.
const DATA: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==";

/// Returns the addresses of the pictures in a request, with the roles of their messages.
fn pictures(request: &Value) -> Vec<(&str, &str)> {
    let messages = request["messages"].as_array().unwrap().iter();
    let parts = messages.flat_map(|message| {
        let parts = message["content"].as_array().into_iter().flatten();
        parts.map(|part| (message["role"].as_str().unwrap(), &part["image_url"]["url"]))
    });
    parts.filter_map(|(role, url)| Some((role, url.as_str()?))).collect()
}

fn blind(dir: &tempfile::TempDir) {
    let file = dir.path().join("home/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["provider"]["far"]["images"] = json!(false);
    fs::write(file, config.to_string()).unwrap();
}

/// A home with a model that cannot be asked and another that is asked in its place; says which of them take pictures.
fn with_fallback(first: &Loopback, second: &Loopback, sees: [bool; 2]) -> tempfile::TempDir {
    let dir = world(&first.base());
    let file = dir.path().join("home/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let models = &mut config["provider"];
    models["far"]["retry_attempts"] = json!(0);
    models["near"] = models["far"].clone();
    models["near"]["base_url"] = json!(second.base());
    models["far"]["images"] = json!(sees[0]);
    models["near"]["images"] = json!(sees[1]);
    config["models"] = json!({"main": ["far/m", "near/m"]});
    fs::write(file, config.to_string()).unwrap();
    fs::write(dir.path().join("work/a.png"), PNG).unwrap();
    dir
}

#[test]
fn pictures_are_left_out_of_the_request_alone_to_the_model_that_takes_none() {
    for sees in [[true, false], [false, true]] {
        let failing = Loopback::start(vec![refuses("503 Service Unavailable", ""); 2]);
        let answering = Loopback::start(vec![calls("read", &json!({"path": "a.png"})), says("A cat.")]);
        let dir = with_fallback(&failing, &answering, sees);
        let (code, printed, errors) = run(&dir, &["what is it?", "--attach", "a.png"]);
        assert_eq!((code, printed.as_str()), (Some(0), "A cat.\n"), "{errors}");
        for (model, name, sees) in [(&failing, "far/m", sees[0]), (&answering, "near/m", sees[1])] {
            for count in [1, 2] {
                let request = model.request();
                let expected = vec![("user", DATA); if sees { count } else { 0 }];
                assert_eq!(pictures(&request), expected, "{name}: {request}");
                let is_told = request.to_string().contains("as you cannot see pictures");
                assert_eq!(is_told, !sees, "{name}: {request}");
            }
            let said = format!("{name} is asked without the pictures: it takes none");
            assert_eq!(errors.matches(&said).count(), usize::from(!sees), "{errors}");
        }
        assert!(!errors.contains("is not sent"), "{errors}");
    }
}

#[test]
fn a_picture_of_the_users_is_sent_from_wherever_it_is() {
    let model = Loopback::start(vec![says("A cat."), says("Still a cat.")]);
    let dir = world(&model.base());
    let shot = dir.path().join("shot.PNG");
    fs::write(&shot, PNG).unwrap();
    let (code, printed, errors) = run(&dir, &["what is it?", "--attach", shot.to_str().unwrap()]);
    assert_eq!((code, printed.as_str()), (Some(0), "A cat.\n"), "{errors}");
    assert_eq!(pictures(&model.request()), [("user", DATA)]);

    let mut server = server(&dir);
    let context = json!([{"uri": format!("file://{}", shot.display())}]);
    server.command("kkcode.turn.start", json!({"prompt": "and now?", "context": context})).unwrap();
    let (id, _) = server.expect_request("window/workDoneProgress/create");
    server.respond(&id, Ok(Value::Null));
    assert_eq!(server.expect_notification("kkcode/turn/didFinish")["reply"], "Still a cat.");
    assert_eq!(pictures(&model.request()), [("user", DATA)]);
    server.shutdown();
    server.take_unread();
}

#[test]
fn a_picture_that_the_agent_reads_is_shown_to_it() {
    let model = Loopback::start(vec![calls("read", &json!({"path": "a.png"})), says("A cat.")]);
    let dir = world(&model.base());
    fs::write(dir.path().join("work/a.png"), PNG).unwrap();
    let (code, printed, errors) = run(&dir, &["what is it?"]);
    assert_eq!((code, printed.as_str()), (Some(0), "A cat.\n"), "{errors}");
    assert_eq!(pictures(&model.request()), []);
    let request = model.request();
    assert_eq!(pictures(&request), [("user", DATA)]);
    let roles: Vec<&Value> =
        request["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "user"], "the result stands behind its call");
    assert!(request["messages"][3]["content"].as_str().unwrap().contains("(a.png, image/png)"), "{request}");
}

#[test]
fn a_model_without_eyes_and_what_is_no_picture_are_told() {
    let model =
        Loopback::start(vec![calls("read", &json!({"path": "a.png"})), says("I cannot see."), says("No.")]);
    let dir = world(&model.base());
    let shot = dir.path().join("work/a.png");
    fs::write(&shot, PNG).unwrap();
    blind(&dir);
    let (code, _, errors) = run(&dir, &["what is it?", "--attach", "a.png"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("the picture a.png is not sent: the model takes no pictures"), "{errors}");
    let first = model.request();
    assert_eq!(pictures(&first), []);
    assert!(first.to_string().contains("which you do not see"), "{first}");
    let second = model.request();
    assert_eq!(pictures(&second), []);
    assert!(second.to_string().contains("you cannot see pictures"), "{second}");

    fs::write(
        dir.path().join("home/config.json"),
        fs::read_to_string(dir.path().join("home/config.json"))
            .unwrap()
            .replace("\"images\":false", "\"images\":true"),
    )
    .unwrap();
    fs::write(&shot, "not a picture").unwrap();
    let (code, _, errors) = run(&dir, &["what is it?", "--attach", "a.png"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("a.png is not sent: it is neither PNG, JPEG, GIF nor WebP"), "{errors}");
    assert_eq!(pictures(&model.request()), []);
    let (code, _, errors) = run(&dir, &["what is it?", "--attach", "none.png"]);
    assert_eq!(code, Some(2), "{errors}");
}
