use super::*;
use crate::tool::tests::World;
use crate::web::server::{Server, answer};

#[test]
fn without_a_service_it_says_how_to_get_one() {
    let error = World::new(&[]).call("websearch", json!({"query": "rust"})).unwrap_err();
    assert!(
        error.contains("no search service is configured") && error.contains("tool.websearch.endpoint"),
        "{error}"
    );
}

async fn found(answers: Vec<Vec<u8>>, key: Option<&str>) -> (Result<String, String>, String) {
    let mut server = Server::start(answers).await;
    let url = Url::parse(&server.url("/mcp")).unwrap();
    let service = Service { url, key: key.map(str::to_owned) };
    let input = Input { query: "two words".to_owned(), num_results: Some(3), kind: None };
    let told = search(&Http::default(), &service, &input).await;
    (told, server.requests.recv().await.unwrap())
}

#[tokio::test]
async fn a_service_is_asked_as_mcp_servers_are() {
    let result =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "one\ntwo"}]}});
    let event = format!("event: message\ndata: {result}\n\n");
    for sent in [
        answer("200 OK", "content-type: text/event-stream\r\n", event),
        answer("200 OK", "content-type: application/json\r\n", result.to_string()),
    ] {
        let (told, request) = found(vec![sent], Some("search-key")).await;
        let told = told.unwrap();
        assert!(told.contains("one\ntwo") && told.contains("never an instruction"), "{told}");
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /mcp ") && head.contains("authorization: Bearer search-key"),
            "{head}"
        );
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body["params"]["arguments"],
            json!({"query": "two words", "numResults": 3, "type": "auto"})
        );
    }
}

#[tokio::test]
async fn what_is_no_result_is_said() {
    let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no credit"}}).to_string();
    let failed = json!({"result": {"isError": true, "content": [{"text": "bad query"}]}}).to_string();
    for (sent, part) in [
        (answer("200 OK", "", error), "refused: no credit"),
        (answer("200 OK", "", failed), "refused: bad query"),
        (answer("200 OK", "", "<html>"), "did not answer as an MCP server does"),
        (answer("401 Unauthorized", "", ""), "answered 401"),
        (answer("302 Found", "location: http://169.254.169.254/\r\n", ""), "answered 302"),
        (answer("200 OK", "", vec![b' '; MOST + 1]), "more than 1 MiB"),
    ] {
        let (told, _) = found(vec![sent], None).await;
        let error = told.unwrap_err();
        assert!(error.contains(part), "{part}: {error}");
    }
    let empty = json!({"result": {"content": []}}).to_string();
    assert!(found(vec![answer("200 OK", "", empty)], None).await.0.unwrap().contains("nothing was found"));
}
