use super::*;

fn lines(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    for piece in pieces {
        let keep = |line: &[u8]| {
            found.push(line.to_vec());
            Ok::<(), LineTooLong>(())
        };
        lines.push(piece, keep).unwrap();
    }
    let rest = lines.rest();
    (found, rest)
}

#[test]
fn every_ending_ends_one_line() {
    let (found, rest) = lines(&[b"a\nb\r\nc\rd\r\r\n\ne"]);
    assert_eq!(found, [&b"a"[..], b"b", b"c", b"d", b"", b""]);
    assert_eq!(rest.as_deref(), Some(&b"e"[..]));
}

#[test]
fn a_crlf_cut_in_two_is_one_ending() {
    let (found, rest) = lines(&[b"a\r", b"", b"\nb\n"]);
    assert_eq!(found, [b"a", b"b"]);
    assert_eq!(rest, None);
}

#[test]
fn only_the_first_byte_order_mark_is_left_out() {
    let (found, _) = lines(&[b"\xEF", b"\xBB\xBFa\n", b"\xEF\xBB\xBFb\n"]);
    assert_eq!(found, [&b"a"[..], b"\xEF\xBB\xBFb"]);
}

#[test]
fn a_line_may_be_long_but_not_longer_than_the_limit() {
    let mut lines = Lines::default();
    let half = vec![b'x'; LONGEST_LINE / 2];
    let mut length = 0;
    for piece in [&half[..], &half[..], b"\n"] {
        let keep = |line: &[u8]| {
            length = line.len();
            Ok::<(), LineTooLong>(())
        };
        lines.push(piece, keep).unwrap();
    }
    assert_eq!(length, LONGEST_LINE);
    let ignore = |_: &[u8]| Ok(());
    lines.push(&half, ignore).unwrap();
    lines.push(&half, ignore).unwrap();
    assert_eq!(lines.push(b"x", ignore), Err(LineTooLong));
    let mut whole = vec![b'x'; LONGEST_LINE + 1];
    whole.push(b'\n');
    assert_eq!(Lines::default().push(&whole, ignore), Err(LineTooLong));
}
