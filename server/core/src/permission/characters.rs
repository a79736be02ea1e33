//! Characters that a person cannot see, or sees elsewhere than they are.

/// Ranges of characters that leave no mark, move the writing direction, or look like a blank and are none: controls, the
/// Unicode property `Default_Ignorable_Code_Point`, `White_Space` beyond ASCII, separators, and blank symbols.
const UNSEEN: &[(char, char)] = &[
    ('\u{0}', '\u{8}'),
    ('\u{b}', '\u{1f}'),
    ('\u{7f}', '\u{a0}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffc}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{10ffff}'),
];

/// Tells whether a character cannot be seen where it stands.
pub fn is_unseen(c: char) -> bool {
    // Nearly all text is ASCII, where two comparisons do.
    if c.is_ascii() {
        return c.is_ascii_control() && c != '\n' && c != '\t';
    }
    let before = UNSEEN.partition_point(|(first, _)| *first <= c);
    before.checked_sub(1).and_then(|at| UNSEEN.get(at)).is_some_and(|(_, last)| c <= *last)
}

/// Returns the first character of a text that cannot be seen. What only selects the drawing of the symbol before it, as in
/// an emoji, can.
pub fn first_unseen(text: &str) -> Option<char> {
    if text.is_ascii() {
        return text.chars().find(|c| is_unseen(*c));
    }
    let mut before = ' ';
    for c in text.chars() {
        let draws = matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}') && is_symbol(before);
        if is_unseen(c) && !draws {
            return Some(c);
        }
        before = c;
    }
    None
}

fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Folds a name so that all spellings that some file system takes for the same one are equal: case, characters without a
/// mark, full-width forms, blanks and dots at the end, and the streams of NTFS.
pub fn fold(name: &str) -> String {
    let name = name.split(':').next().filter(|name| !name.is_empty()).unwrap_or(name);
    let narrow = |c: char| match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    };
    let seen = name.chars().filter(|c| !is_unseen(*c)).map(narrow);
    let folded: String = seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    match folded.trim_end_matches(['.', ' ']) {
        // A name of dots alone is no other name.
        "" => folded,
        "git~1" => ".git".to_owned(),
        kept => kept.to_owned(),
    }
}

/// Writes a text so that it shows what is in it: unseen characters as `\u{..}`.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_found() {
        for bad in [
            "ls\u{202e} -la",
            "rm\u{200b}",
            "ls\r",
            "\u{1b}[2K",
            "a\u{ad}b",
            "\u{115f}",
            "\u{8}",
            "\u{180e}",
            "\u{61c}",
            "\u{b}",
            "\u{c}",
            "\u{0}",
            "\u{7f}",
            "\u{85}",
            "\u{a0}",
            "\u{2028}",
            "\u{3000}",
            "\u{feff}",
            "\u{e0041}",
            "\u{2066}",
            "\u{2800}",
            "\u{ffa0}",
            "a\u{fe0f}",
            "a\u{200d}b",
        ] {
            assert!(first_unseen(bad).is_some(), "{}", bad.escape_unicode());
        }
        for good in ["ls -la\n\tx", "日本語 äöü ‘x’ —", "done \u{2714}\u{fe0f}", "\u{1f469}\u{200d}\u{1f4bb}"]
        {
            assert_eq!(first_unseen(good), None, "{good}");
        }
        assert!(UNSEEN.is_sorted());
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn names_that_some_file_system_takes_for_the_same_are_folded() {
        for other in [
            ".GIT",
            ".Git",
            ".g\u{200c}it",
            ".git.",
            ".git ",
            ".git::$INDEX_ALLOCATION",
            "git~1",
            "\u{ff0e}git",
        ] {
            assert_eq!(fold(other), ".git", "{other}");
        }
        assert_eq!(fold("\u{212a}EY"), "key");
        assert_ne!(fold("git"), ".git");
        assert_eq!(fold(".."), "..");
    }
}
