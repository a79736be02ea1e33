//! Which words of a modified line changed, as a hover lists them below the diff.

use kkcode_core::lines::split;
use similar::{ChangeTag, TextDiff};

/// How many changes are listed.
const MOST: usize = 12;

/// How much of a line has to stay for its changed words to say more than the line itself, from 0 to 1.
const LEAST_ALIKE: f32 = 0.5;

/// Words that were replaced by others; one side is empty where words only came or went.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    old: String,
    new: String,
}

/// Returns the changed words of lines that were modified, each line of `old` by the one of `new` in its place, in one line
/// of text; `quote` sets words off from it. Nothing where lines came, went or have little in common.
pub(super) fn listed(old: &str, new: &str, quote: impl Fn(&str) -> String) -> Option<String> {
    if split(old).count() != split(new).count() {
        return None;
    }
    let changes: Vec<Change> = split(old).zip(split(new)).flat_map(|(old, new)| of_line(old, new)).collect();
    let said = |change: &Change| match (change.old.is_empty(), change.new.is_empty()) {
        (true, _) => format!("new {}", quote(&change.new)),
        (_, true) => format!("gone {}", quote(&change.old)),
        _ => format!("{} → {}", quote(&change.old), quote(&change.new)),
    };
    let mut list: Vec<String> = changes.iter().take(MOST).map(said).collect();
    if changes.len() > MOST {
        list.push(format!("… and {} more", changes.len() - MOST));
    }
    (!list.is_empty()).then(|| format!("Changed words: {}", list.join(", ")))
}

/// Returns what changed in one line, but for blanks; nothing when most of it did.
fn of_line(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (old.trim_end_matches(['\r', '\n']), new.trim_end_matches(['\r', '\n']));
    let diff = TextDiff::from_unicode_words(old, new);
    if diff.ratio() < LEAST_ALIKE {
        return Vec::new();
    }
    let mut changes: Vec<Change> = vec![Change::default()];
    // A blank between two changed words belongs to both.
    let mut gap = String::new();
    for part in diff.iter_all_changes() {
        let is_blank = part.value().trim().is_empty();
        let Some(last) = changes.last_mut() else { break };
        match part.tag() {
            ChangeTag::Equal if is_blank => gap.push_str(part.value()),
            ChangeTag::Equal => {
                gap.clear();
                changes.push(Change::default());
            }
            tag => {
                for side in [&mut last.old, &mut last.new] {
                    if !side.is_empty() {
                        side.push_str(&gap);
                    }
                }
                gap.clear();
                let side = if tag == ChangeTag::Delete { &mut last.old } else { &mut last.new };
                side.push_str(part.value());
            }
        }
    }
    let trimmed = |change: Change| Change { old: change.old.trim().into(), new: change.new.trim().into() };
    changes.into_iter().map(trimmed).filter(|change| change.old != change.new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expected: Option<&str>) {
        assert_eq!(listed(old, new, |word| format!("<{word}>")).as_deref(), expected);
    }

    #[test]
    fn words_of_a_modified_line_are_listed() {
        check("retry(3, true);\n", "retry(5, true);\n", Some("Changed words: <3> → <5>"));
        check("let a = f(x);\n", "let mut a = f(x);\n", Some("Changed words: new <mut>"));
        check("pub fn a() -> b\n", "fn a() -> b\n", Some("Changed words: gone <pub>"));
        check("one big old house\n", "one small new house\n", Some("Changed words: <big old> → <small new>"));
        check("größe = 1 m\n", "größe = 2 m", Some("Changed words: <1> → <2>"));
        check(
            "a = b(c)\nx\nd = e(f)\n",
            "a = B(c)\nx\nd = e(F)\n",
            Some("Changed words: <b> → <B>, <f> → <F>"),
        );
    }

    #[test]
    fn lines_that_came_went_or_have_little_in_common_have_no_changed_words() {
        for (old, new) in [("", "a b\n"), ("a b\n", ""), ("a b c\n", "a b c\nd\n"), ("two\n", "TWO\n")] {
            check(old, new, None);
        }
        check("  a b c d\n", "    a b c d\r\n", None);
    }

    #[test]
    fn a_long_list_ends() {
        let list = |numbers: std::ops::Range<u8>| {
            numbers.map(|n| format!("same same same {n}; ")).collect::<Vec<_>>().concat()
        };
        let (old, new) = (list(0..20), list(20..40));
        let said = listed(&old, &new, str::to_owned).unwrap();
        assert!(said.starts_with("Changed words: 0 → 20, ") && said.ends_with("… and 8 more"), "{said}");
    }
}
