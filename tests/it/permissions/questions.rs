//! The agent asks the user a question.

use serde_json::json;

use super::{Place, finished, start};

const ASKS: &str = "
turns:
  - stream:
      - tool:
          name: question
          input:
            questions:
              - {id: db, text: Which database?, options: [{label: SQLite, value: sqlite}, {label: Postgres}]}
              - {id: name, text: What is it called?}
  - expect: ['sqlite', 'null']
    stream: [{text: SQLite it is.}]
";

#[test]
fn the_answers_come_to_the_model_by_their_questions() {
    let place = Place::new(ASKS);
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let asked = server.expect_notification("kkcode/question/didAsk");
    assert_eq!(
        (&asked["title"], &asked["questions"][0]["options"][1]["value"]),
        (&json!("Which database?"), &json!("Postgres"))
    );
    let argument = json!({"questionId": asked["questionId"], "answers": {"db": "sqlite"}});
    let answer = server.command("kkcode.question.answer", argument.clone()).unwrap();
    assert_eq!(answer, json!({"accepted": true}));
    let resolved = server.expect_notification("kkcode/question/didResolve");
    assert_eq!((&resolved["answers"], &resolved["by"]), (&json!({"db": "sqlite"}), &json!("one")));
    finished(&mut server, "SQLite it is.");
    assert_eq!(server.command("kkcode.question.answer", argument).unwrap(), json!({"accepted": false}));
}

#[test]
fn a_plain_client_is_asked_one_after_the_other() {
    let place = Place::new(ASKS);
    let mut server = place.plain("plain");
    start(&mut server, &json!({}));
    let (id, params) = server.expect_request("window/showMessageRequest");
    assert_eq!(
        params["actions"],
        json!([{"title": "SQLite"}, {"title": "Postgres"}, {"title": "No answer"}])
    );
    server.respond(&id, Ok(json!({"title": "SQLite"})));
    let (id, params) = server.expect_request("window/showMessageRequest");
    assert_eq!(params["actions"], json!([{"title": "No answer"}]));
    server.respond(&id, Ok(json!({"title": "No answer"})));
    let told = server.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("SQLite it is."), "{told}");
}
