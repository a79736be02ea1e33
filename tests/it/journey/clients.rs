//! Six real editors, by their recorded `initialize` requests: what each gets of a hunk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kkcode_tests::Message;
use serde_json::{Value, json};

use super::{SCRIPT, World};

/// How a client accepts a hunk.
#[derive(Debug, PartialEq)]
enum Accept {
    /// By a resolved edit that names the version.
    Versioned,
    /// By a command; our `workspace/applyEdit` names the version.
    Command,
}

#[expect(clippy::struct_excessive_bools, reason = "each is one column of a table")]
struct Client {
    recorded: &'static str,
    encoding: &'static str,
    accept: Accept,
    lens_refresh: bool,
    diagnostics_have_versions: bool,
    hover: &'static str,
    tags: bool,
    disabled: bool,
    virtual_documents: bool,
    shows_documents: bool,
}

/// The least of what they can do; each row names what is more.
const PLAIN: Client = Client {
    recorded: "",
    encoding: "utf-16",
    accept: Accept::Versioned,
    lens_refresh: false,
    diagnostics_have_versions: false,
    hover: "markdown",
    tags: false,
    disabled: false,
    virtual_documents: false,
    shows_documents: true,
};

#[test]
fn neovim_0_10() {
    check(&Client { recorded: "Neovim-0.10.4", ..PLAIN });
}

#[test]
fn neovim_0_12() {
    let client = Client { recorded: "Neovim-0.12.4", encoding: "utf-8", lens_refresh: true, ..PLAIN };
    check(&Client { disabled: true, ..client });
}

#[test]
fn vs_code() {
    let client = Client { recorded: "code-server-1.139.1", lens_refresh: true, tags: true, ..PLAIN };
    check(&Client { disabled: true, virtual_documents: true, ..client });
}

#[test]
fn helix() {
    let client = Client { recorded: "helix-25.07.1", encoding: "utf-8", disabled: true, ..PLAIN };
    check(&Client { diagnostics_have_versions: true, ..client });
}

#[test]
fn eglot_1_17() {
    check(&Client { recorded: "Eglot-1.17.30", encoding: "utf-32", hover: "plaintext", ..PLAIN });
}

#[test]
fn eglot_1_9() {
    let client = Client { recorded: "Eglot-1.9-emacs28.2", accept: Accept::Command, ..PLAIN };
    check(&Client { hover: "plaintext", shows_documents: false, ..client });
}

#[track_caller]
fn check(client: &Client) {
    let file = format!("data/init-params/{}.json", client.recorded);
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let (mut world, result) = World::of(SCRIPT, &recorded);
    let capabilities = &result["capabilities"];
    assert_eq!(capabilities["positionEncoding"], client.encoding);
    let content = capabilities["workspace"].get("textDocumentContent");
    let schemes = json!({"schemes": ["kkcode-base", "kkcode-proposed"]});
    assert_eq!(content, client.virtual_documents.then_some(&schemes));

    let refreshed = Arc::new(AtomicBool::new(false));
    let saw = Arc::clone(&refreshed);
    world.server.on_request("workspace/codeLens/refresh", move |_| {
        saw.store(true, Ordering::Relaxed);
        Ok(Value::Null)
    });
    world.open();
    world.server.command("kkcode.turn.start", json!({"prompt": "shout, please"})).unwrap();
    // None of them knows our notifications, so all get diagnostics.
    let published = world.server.wait_for("two diagnostics", |message| match message {
        Message::Notification { method, params } if method == "textDocument/publishDiagnostics" => {
            (params["diagnostics"].as_array().unwrap().len() == 2).then(|| params.clone())
        }
        _ => None,
    });
    assert_eq!(refreshed.load(Ordering::Relaxed), client.lens_refresh);
    assert_eq!(published["uri"], world.uri());
    assert_eq!(published.get("version").is_some(), client.diagnostics_have_versions);
    if client.shows_documents && client.recorded != "helix-25.07.1" {
        let (id, params) = world.server.expect_request("window/showDocument");
        world.server.respond(&id, Ok(json!({"success": true})));
        let uri = params["uri"].as_str().unwrap();
        assert!(uri.contains("/replies/turn_") && params["takeFocus"] == false, "{params}");
        let reply = std::fs::read_to_string(uri.strip_prefix("file://").unwrap()).unwrap();
        assert_eq!(reply, "> shout, please\n\nTwo hunks wait for you.\n");
    }
    let message = world.server.expect_notification("window/showMessage");
    let named = message["message"].as_str().unwrap().contains("/replies/turn_");
    assert_eq!(named, !client.shows_documents || client.recorded == "helix-25.07.1", "{message}");
    let list = world.server.command("kkcode.proposal.list", json!({})).unwrap();
    let proposal = list["proposals"][0]["proposalId"].as_str().unwrap().to_owned();

    let place = json!({"textDocument": {"uri": world.uri()}, "position": {"line": 1, "character": 0}});
    assert_eq!(world.server.call("textDocument/hover", place)["contents"]["kind"], client.hover);

    let next = world.action(1, "Next hunk")["command"].clone();
    let shown = world.server.call("workspace/executeCommand", next);
    assert_eq!(shown, json!({"shown": client.shows_documents}));
    if client.shows_documents {
        let (id, params) = world.server.expect_request("window/showDocument");
        world.server.respond(&id, Ok(json!({"success": true})));
        assert_eq!(params["selection"]["start"]["line"], 4);
    } else {
        world.server.expect_notification("window/showMessage");
    }

    let action = world.action(1, "Accept hunk");
    assert_eq!(action.get("tags").is_some(), client.tags);
    let edit = match client.accept {
        Accept::Versioned => world.server.call("codeAction/resolve", action)["edit"].clone(),
        Accept::Command => {
            world.server.call("workspace/executeCommand", action["command"].clone());
            let (id, params) = world.server.expect_request("workspace/applyEdit");
            world.server.respond(&id, Ok(json!({"applied": true})));
            params["edit"].clone()
        }
    };
    let change = &edit["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": world.uri(), "version": 1}));
    world.apply(&change["edits"].clone());
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nfive\n");
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);

    world.type_text(4, 0, 0, "my ");
    let titles: Vec<Value> = world.actions(4).iter().map(|action| action["title"].clone()).collect();
    let resolved = ["Take proposal here", "Keep mine"];
    let disabled = client.disabled.then_some("Accept hunk");
    assert_eq!(titles, disabled.into_iter().chain(resolved).collect::<Vec<_>>());
    world.done();
}
