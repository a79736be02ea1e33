use proptest::prelude::*;

use super::*;
use crate::text::tests::any_text;

#[test]
fn every_kind_of_ending_ends_a_line() {
    let lines = Lines::new("\u{feff}a\r\nb\rc\n\nd");
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["\u{feff}a\r\n", "b\r", "c\n", "\n", "d"]);
    assert_eq!(lines.keys(Compare::Content), ["a", "b", "c", "", "d"]);
    assert_eq!(lines.iter().map(ending).collect::<Vec<_>>(), ["\r\n", "\r", "\n", "\n", ""]);
    assert_eq!(Lines::new("").len(), 0);
    assert_eq!(Lines::new("a\n").len(), 1);
    assert_eq!(lines.slice(1..3), "b\rc\n");
    assert_eq!(lines.slice(4..99), "d");
}

proptest! {
    #[test]
    fn lines_are_the_text_and_agree_with_the_rope(text in any_text()) {
        let lines = Lines::new(text.as_str());
        prop_assert_eq!(lines.iter().collect::<String>(), text.clone());
        prop_assert_eq!(split(&text).collect::<Vec<_>>(), lines.iter().collect::<Vec<_>>());
        let rope = Rope::from_str(&text);
        // A rope has one more, empty line behind a final ending, and an empty text has one line.
        let of_rope: Vec<String> = rope.lines().map(|line| line.to_string()).filter(|line| !line.is_empty()).collect();
        prop_assert_eq!(lines.iter().collect::<Vec<_>>(), of_rope);
    }
}

#[test]
fn a_text_has_the_name_that_sha256sum_gives_it() {
    assert_eq!(
        TextHash::of("abc").as_str(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
