//! Framing, with the input cut anywhere.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Decodes the input in pieces that end at the given offsets.
fn decode(input: &[u8], cuts: &[usize]) -> (Vec<String>, Option<String>) {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        let mut piece = &input[start.min(end)..end];
        start = end.max(start);
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(body)) => bodies.push(String::from_utf8(body).unwrap()),
                Ok(None) => break,
                Err(error) => return (bodies, Some(error.to_string())),
            }
        }
        assert!(piece.is_empty(), "without a body all input is taken");
    }
    (bodies, None)
}

/// Checks what bodies the input has, in one piece and byte by byte.
fn check(input: &str, expected: &[&str]) {
    let each_byte: Vec<_> = (0..input.len()).collect();
    for cuts in [vec![], each_byte] {
        assert_eq!(
            decode(input.as_bytes(), &cuts),
            (expected.iter().map(|body| (*body).to_owned()).collect(), None)
        );
    }
}

/// Checks that the input ends the connection, in one piece and byte by byte.
fn check_fatal(input: &str, expected: &str) {
    let each_byte: Vec<_> = (0..input.len()).collect();
    for cuts in [vec![], each_byte] {
        let (_, error) = decode(input.as_bytes(), &cuts);
        let error = error.expect("an error");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn messages_follow_each_other() {
    check("Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull", &["{}", "null"]);
}

#[test]
fn a_body_may_be_empty() {
    check("Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}", &["", "{}"]);
}

#[test]
fn headers_are_read_in_any_case_order_and_spacing() {
    check("content-length: 2\r\n\r\n{}", &["{}"]);
    check("CONTENT-LENGTH:2\r\n\r\n{}", &["{}"]);
    check("  Content-Length \t:  002 \t\r\n\r\n{}", &["{}"]);
    check("Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    check("Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}", &["{}"]);
    check("Content-Length: 2\r\nX-Other: 7\r\n\r\n{}", &["{}"]);
}

#[test]
fn lines_may_end_in_a_line_feed() {
    check("Content-Length: 2\n\n{}Content-Length: 2\r\n\n[]", &["{}", "[]"]);
}

#[test]
fn junk_before_a_header_is_skipped() {
    check("hello\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    check("\r\n\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    check("Content-Length: 2\r\n\r\n{}}}}Content-Length: 2\r\n\r\n[]", &["{}", "[]"]);
    check("debug: Content-Length: x Content-Length: 2\r\n\r\n{}", &["{}"]);
}

#[test]
fn a_length_that_is_no_number_is_junk_up_to_the_next_header() {
    for bad in ["abc", "", "-2", "+2", "2.0", "0x2", "2 2", "２"] {
        check(&format!("Content-Length: {bad}\r\n\r\n{{}}Content-Length: 2\r\n\r\n[]"), &["[]"]);
    }
}

#[test]
fn a_missing_length_is_junk_up_to_the_next_header() {
    check("Content-Type: x\r\n\r\n{}\r\nContent-Length: 2\r\n\r\n[]", &["[]"]);
}

#[test]
fn the_same_length_twice_is_one_length() {
    check("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
}

#[test]
fn two_different_lengths_end_the_connection() {
    check_fatal("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "two different Content-Length headers");
}

#[test]
fn a_length_over_the_limit_ends_the_connection_at_its_header() {
    check_fatal("Content-Length: 67108865\r\n", "67108865");
    check_fatal("Content-Length: 10000000000000\r\n", "more than the limit");
    check_fatal("Content-Length: 99999999999999999999\r\n", "more than the limit");
}

#[test]
fn the_limit_itself_is_allowed_and_costs_nothing_before_the_bytes_are_there() {
    let mut decoder = Decoder::default();
    let mut input = &b"Content-Length: 67108864\r\n\r\n{"[..];
    assert!(decoder.decode(&mut input).unwrap().is_none());
    assert!(decoder.body.capacity() < 1024, "{}", decoder.body.capacity());
    assert!(!decoder.is_between_messages());
}

#[test]
fn eight_kibibytes_without_a_header_end_the_connection() {
    let header = "Content-Length: 2\r\n\r\n";
    let fits = format!("{}\n{header}{{}}", "x".repeat(HEADER_LIMIT - header.len() - 1));
    check(&fits, &["{}"]);
    check_fatal(&format!("x{fits}"), "no complete message header");
    check_fatal(&"\n".repeat(HEADER_LIMIT + 1), "no complete message header");
    check_fatal(&"X: y\r\n".repeat(HEADER_LIMIT), "no complete message header");
}

#[test]
fn the_reader_ends_with_its_input() {
    let input = Cursor::new(b"Content-Length: 2\r\n\r\n{}Content-Length: 9\r\n\r\n{");
    let mut reader = FrameReader::new(input);
    assert_eq!(reader.next().unwrap().unwrap(), b"{}");
    assert!(reader.next().unwrap().is_none());
}

/// A body, with junk before it that holds no header.
fn messages() -> impl Strategy<Value = Vec<(String, String)>> {
    let junk = "[ -~\r\n]{0,40}"
        .prop_filter("junk has no header", |junk| !junk.to_lowercase().contains("content-length"));
    proptest::collection::vec((junk, "\\PC{0,60}"), 0..6)
}

proptest! {
    #[test]
    fn cuts_never_matter(messages in messages(), cuts in proptest::collection::vec(0_usize..600, 0..12)) {
        let frame = |(junk, body): &(String, String)| format!("{junk}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let input = messages.iter().map(frame).collect::<Vec<_>>().concat();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < input.len()).collect();
        cuts.sort_unstable();
        let bodies = messages.into_iter().map(|(_, body)| body).collect();
        prop_assert_eq!(decode(input.as_bytes(), &cuts), (bodies, None));
    }

    #[test]
    fn any_bytes_give_the_same_result_however_cut(
        input in "([cC]ontent-[lL]ength|:| |\r\n|\n|[0-9]|-|x){0,60}",
        cuts in proptest::collection::vec(0_usize..200, 0..8),
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < input.len()).collect();
        cuts.sort_unstable();
        prop_assert_eq!(decode(input.as_bytes(), &cuts), decode(input.as_bytes(), &[]));
    }
}
