use proptest::prelude::*;

use super::*;

fn events(pieces: &[&[u8]]) -> Vec<String> {
    let mut sse = Sse::default();
    let mut events = Vec::new();
    for piece in pieces {
        let keep = |data: &[u8]| {
            events.push(text(data).into_owned());
            Ok::<(), LineTooLong>(())
        };
        sse.push(piece, keep).unwrap();
    }
    events
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let body = body.as_bytes();
    assert_eq!(events(&[body]), expected, "whole");
    let single: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(events(&single), expected, "byte by byte");
    for at in 0..=body.len() {
        let (head, tail) = body.split_at(at);
        assert_eq!(events(&[head, tail]), expected, "cut at {at}");
    }
}

#[test]
fn events_are_read_whatever_ends_their_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let body = format!("event: a{end}data: 1{end}{end}data: 2{end}{end}");
        check(&body, &["1", "2"]);
    }
    check("event: a\r\ndata: 1\r\rdata: 2\n\r\n", &["1", "2"]);
}

#[test]
fn lines_of_data_are_joined() {
    check("data: one\ndata: two\ndata\ndata: \n\n", &["one\ntwo\n\n"]);
}

#[test]
fn one_space_after_the_colon_is_left_out() {
    check("data:a\n\ndata: a\n\ndata:  a\n\n", &["a", "a", " a"]);
}

#[test]
fn comments_pings_and_unknown_fields_say_nothing() {
    let body =
        "\u{FEFF}: hello\n\n:\nid: 1\nretry: 10\nfoo: bar\ndata: x\n\nevent: ping\n\ndata\n\ndata: y\n\n";
    check(body, &["x", "y"]);
}

#[test]
fn a_character_cut_in_two_is_whole_again() {
    check("data: ünï 🚀\n\n", &["ünï 🚀"]);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(events(&[b"data: a\xFFb\n\n"]), ["a\u{FFFD}b"]);
}

#[test]
fn what_no_empty_line_ended_is_the_rest() {
    let mut sse = Sse::default();
    let none = |_: &[u8]| -> Result<(), LineTooLong> { panic!("there is no event yet") };
    sse.push(b"event: a\ndata: [DO", none).unwrap();
    sse.push(b"NE]", none).unwrap();
    assert_eq!(sse.rest().as_deref(), Some("[DONE]"));
    assert_eq!(sse.rest(), None);
}

#[test]
fn data_in_many_lines_is_bounded_too() {
    let mut sse = Sse::default();
    let line = format!("data: {}\n", "x".repeat(LONGEST_LINE / 4));
    let ignore = |_: &[u8]| Ok(());
    let results: Vec<_> = (0..5).map(|_| sse.push(line.as_bytes(), ignore)).collect();
    assert_eq!(results.last(), Some(&Err(LineTooLong)));
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        parts in prop::collection::vec(
            prop::sample::select(vec!["data: ", "data:", "event: a", "\r", "\n", "\r\n", "\n\n", ":c", "ü🚀", "{}", "\u{FEFF}"]), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let body = parts.concat().into_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        at.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for to in at.into_iter().chain([body.len()]) {
            pieces.push(&body[from..to]);
            from = to;
        }
        prop_assert_eq!(events(&pieces), events(&[&body]));
    }
}
