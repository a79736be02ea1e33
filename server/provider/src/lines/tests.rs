use super::*;

fn lines(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    for piece in pieces {
        let mut piece = *piece;
        while let Some(line) = lines.next(&mut piece).unwrap() {
            found.push(line.to_vec());
        }
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
    for mut piece in [&half[..], &half[..]] {
        assert_eq!(lines.next(&mut piece), Ok(None));
    }
    assert_eq!(lines.next(&mut &b"\n"[..]).unwrap().map(<[u8]>::len), Some(LONGEST_LINE));
    for mut piece in [&half[..], &half[..]] {
        assert_eq!(lines.next(&mut piece), Ok(None));
    }
    assert_eq!(lines.next(&mut &b"x"[..]), Err(LineTooLong));
    let mut whole = vec![b'x'; LONGEST_LINE + 1];
    whole.push(b'\n');
    assert_eq!(Lines::default().next(&mut &whole[..]), Err(LineTooLong));
}
