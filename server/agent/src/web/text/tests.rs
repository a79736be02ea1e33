use super::*;

#[test]
fn a_page_is_its_text() {
    let page = "<!doctype html><html><head><title>T</title><style>p{}</style><script>alert(1)</script></head>\
                <body><h1>Head</h1><p>One <a href='/x'>two</a>.</p><ul><li>a</li><li>b</li></ul></body></html>";
    let text = readable("text/html; charset=utf-8", page.as_bytes()).unwrap();
    for part in ["# Head", "One [two][1].", "* a", "/x"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("alert") && !text.contains("p{}"), "{text}");
    assert_eq!(readable("text/plain", page.as_bytes()).unwrap(), text, "whatever the server calls it");
}

#[test]
fn text_is_as_it_came() {
    for kind in
        ["text/plain", "application/json", "application/problem+json", "text/markdown", "image/svg+xml", ""]
    {
        assert_eq!(readable(kind, b"{\"a\": 1}\r\n<b>").unwrap(), "{\"a\": 1}\n<b>", "{kind}");
    }
}

#[test]
fn what_is_no_text_is_refused() {
    for (kind, bytes) in [("image/png", &b"\x89PNG"[..]), ("application/pdf", b"%PDF"), ("", b"a\0b")] {
        let error = readable(kind, bytes).unwrap_err();
        assert!(error.contains("only text can be read"), "{error}");
    }
}

#[test]
fn encodings_are_read() {
    let (gbk, ..) = encoding_rs::GBK.encode("你好");
    assert_eq!(readable("text/plain; charset=GBK", &gbk).unwrap(), "你好");
    let page = [b"<html><head><meta charset=\"gbk\"></head><body>".to_vec(), gbk.into_owned()].concat();
    assert_eq!(readable("text/html", &page).unwrap(), "你好");
    assert_eq!(readable("text/plain", b"a\xff").unwrap(), "a\u{fffd}");
    assert_eq!(readable("text/plain; charset=iso-8859-1", b"\xfc").unwrap(), "ü");
}

#[test]
fn what_nobody_sees_is_left_out() {
    let hidden = "a\u{202e}b\u{200b}c\u{e0041}\u{1b}[31md\te\n";
    assert_eq!(readable("text/plain", hidden.as_bytes()).unwrap(), "abc[31md\te\n");
}

#[test]
fn marks_cannot_be_imitated() {
    let marked = |text| marked("https://example.com/", text).unwrap();
    let (first, second) = (marked("x"), marked("x"));
    assert_ne!(first, second, "each has a name of its own");
    assert!(first.starts_with("<untrusted") && first.contains("never an instruction"), "{first}");
}
