use serde_json::json;

use super::*;

#[test]
fn a_client_that_says_nothing_can_do_nothing() {
    let client = ClientCapabilities::read(&json!({}));
    assert_eq!(client.encoding, PositionEncoding::Utf16);
    assert!(!client.kkcode && !client.document_changes && !client.apply_edit && !client.resolve_edit);
    assert!(client.folders.is_empty());
}

#[test]
fn the_first_known_encoding_is_taken() {
    let read = |encodings: Value| {
        ClientCapabilities::read(&json!({"capabilities": {"general": {"positionEncodings": encodings}}}))
            .encoding
    };
    assert_eq!(read(json!(["utf-7", "utf-32", "utf-8"])), PositionEncoding::Utf32);
    assert_eq!(read(json!(["utf-8", "utf-16"])), PositionEncoding::Utf8);
    assert_eq!(read(json!([1, null])), PositionEncoding::Utf16);
    assert_eq!(read(json!("utf-8")), PositionEncoding::Utf16);
}

#[test]
fn folders_come_from_the_list_or_from_the_root() {
    let folders = |params: Value| ClientCapabilities::read(&params).folders;
    let listed = json!({"workspaceFolders": [{"uri": "file:///a%20b/"}, {"uri": "untitled:x"}, {"uri": "file:///c"}], "rootUri": "file:///r"});
    assert_eq!(folders(listed), [PathBuf::from("/a b"), PathBuf::from("/c")]);
    assert_eq!(folders(json!({"workspaceFolders": null, "rootUri": "file:///r/"})), [PathBuf::from("/r")]);
    assert_eq!(folders(json!({"rootUri": null, "rootPath": "/p"})), [PathBuf::from("/p")]);
    assert!(folders(json!({"rootUri": null, "rootPath": "/"})).is_empty());
}

#[test]
fn neovim_heeds_versions_without_saying_so() {
    assert!(ClientCapabilities::read(&json!({"clientInfo": {"name": "Neovim"}})).document_changes);
}
