//! The checker that every message of a server passes: it finds what the protocol does not allow.

use kkcode_tests::{Asked, MetaModel, skip};
use serde_json::{Value, json};

#[test]
fn the_checker_finds_what_the_protocol_does_not_allow() {
    let Some(model) = MetaModel::at_hand() else {
        skip("journey::strict", "there is no metaModel.json at hand; KKCODE_LSP_META_MODEL names one");
        return;
    };
    let hover = json!({"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover"});
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let command = json!({"method": "workspace/executeCommand", "params": {"command": "kkcode.turn.cancel"}});
    let message = |params: Value| json!({"jsonrpc": "2.0", "method": "window/showMessage", "params": params});
    let own = |params: Value| json!({"jsonrpc": "2.0", "method": "kkcode/turn/didFinish", "params": params});
    for (sent, asks, wrong) in [
        (message(json!({"type": 3, "message": "m"})), None, None),
        (message(json!({"type": 3, "message": "m", "colour": "red"})), None, Some("colour: unknown member")),
        (message(json!({"type": 77, "message": "m"})), None, Some("77 is no MessageType")),
        (message(json!({"type": 3})), None, Some("message: missing")),
        (message(json!({"type": 3, "message": null})), None, Some("no string: null")),
        (hover.clone(), None, Some("is for clients to send")),
        (json!({"jsonrpc": "2.0", "method": "window/none"}), None, Some("window/none: unknown")),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "workspace/codeLens/refresh", "params": null}),
            None,
            Some("this method has none"),
        ),
        (answer(json!(null)), Some(&hover), None),
        (answer(json!({"contents": "c"})), Some(&hover), None),
        (answer(json!({"contents": {"kind": "html", "value": ""}})), Some(&hover), Some("$.result")),
        (answer(json!({"cancelled": true})), Some(&command), None),
        (answer(json!({"cancelled": true, "why": null})), Some(&command), Some("it is read as")),
        (own(json!({"seq": 1, "turnId": "t", "status": "completed", "proposalIds": []})), None, None),
        (own(json!({"seq": 1})), None, Some("missing field")),
    ] {
        let asked = asks.and_then(Asked::by);
        let found = model.violations(&sent, asked.as_ref());
        match wrong {
            None => assert!(found.is_empty(), "{sent}: {found:?}"),
            Some(wrong) => assert!(found.iter().any(|found| found.contains(wrong)), "{sent}: {found:?}"),
        }
    }
}
