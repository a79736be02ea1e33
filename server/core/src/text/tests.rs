use proptest::prelude::*;

use super::*;

const ALPHABET: &[&str] = &[
    "a",
    "Z",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "é",
    "e\u{301}",
    "👩\u{200d}💻",
    "𝒳",
    "漢",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\u{feff}",
];

pub(crate) fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(ALPHABET), 0..40).prop_map(|parts| parts.concat())
}

pub(crate) fn any_encoding() -> impl Strategy<Value = PositionEncoding> {
    prop::sample::select(&[PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32][..])
}

/// The oracle: where a position stands, read off the bytes by the words of the specification, one character at a time.
pub(crate) fn naive_byte(text: &str, position: Position, encoding: PositionEncoding) -> usize {
    let mut line = 0;
    let mut rest = text.char_indices().peekable();
    while line < position.line {
        let Some((_, c)) = rest.next() else { return text.len() };
        let after_cr = c == '\r' && rest.peek().is_some_and(|(_, next)| *next == '\n');
        if c == '\n' || (c == '\r' && !after_cr) {
            line += 1;
        }
    }
    let mut units = 0_u64;
    for (byte, c) in rest {
        let size = match encoding {
            _ if byte == 0 && c == '\u{feff}' => 0,
            PositionEncoding::Utf8 => c.len_utf8(),
            PositionEncoding::Utf16 => c.len_utf16(),
            PositionEncoding::Utf32 => 1,
        } as u64;
        if c == '\n' || c == '\r' || units + size > u64::from(position.character) {
            return byte;
        }
        units += size;
    }
    text.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    // E-02
    #[test]
    fn every_character_border_survives_the_round_trip(text in any_text(), encoding in any_encoding()) {
        let rope = Rope::from_str(&text);
        for offset in 0..=rope.len_chars() {
            let position = Position::from_char(&rope, offset, encoding);
            let back = position.to_char(&rope, encoding);
            // Between \r and \n, behind a line ending's first half and before a BOM there is no position of its own.
            let inside_crlf = offset > 0 && rope.get_char(offset) == Some('\n') && rope.char(offset - 1) == '\r';
            let before_bom = offset == 0 && rope.get_char(0) == Some(BOM);
            if inside_crlf {
                prop_assert_eq!(back, offset - 1);
            } else if before_bom {
                prop_assert_eq!(back, 1);
            } else {
                prop_assert_eq!(back, offset, "{:?} {:?}", position, text);
            }
        }
    }

    // E-02
    #[test]
    fn any_position_is_where_the_specification_puts_it(
        text in any_text(), line in 0..50_u32, character in 0..60_u32, encoding in any_encoding(),
    ) {
        let rope = Rope::from_str(&text);
        let position = Position::new(line, character);
        let offset = position.to_char(&rope, encoding);
        prop_assert_eq!(rope.char_to_byte(offset), naive_byte(&text, position, encoding), "{:?} in {:?}", position, text);
    }
}

#[test]
fn extremes_are_clamped() {
    let rope = Rope::from_str("ab\r\ncd");
    for encoding in [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32] {
        assert_eq!(Position::new(0, u32::MAX).to_char(&rope, encoding), 2);
        assert_eq!(Position::new(u32::MAX, 0).to_char(&rope, encoding), 6);
        assert_eq!(Position::new(u32::MAX, u32::MAX).to_char(&rope, encoding), 6);
    }
}

#[test]
fn inside_a_surrogate_pair_is_its_start() {
    let rope = Rope::from_str("𝒳y");
    assert_eq!(Position::new(0, 1).to_char(&rope, PositionEncoding::Utf16), 0);
    assert_eq!(Position::new(0, 2).to_char(&rope, PositionEncoding::Utf16), 1);
    assert_eq!(Position::new(0, 3).to_char(&rope, PositionEncoding::Utf8), 0);
}

#[test]
fn a_reversed_range_is_refused() {
    let range = TextRange::new(Position::new(1, 0), Position::new(0, 3));
    let error = range.to_chars(&Rope::from_str("abc\nd"), PositionEncoding::Utf16).unwrap_err();
    assert_eq!(error.to_string(), "range ends at 0:3 before it starts at 1:0");
}
