//! E-07 and E-08: real texts and real changes, quoted as models quote them. Right or refused, never wrong.

use kkcode_core::diff::line_changes;
use kkcode_core::lines::Lines;
use serde_json::{Value, json};

use crate::runtime::tests::versions;
use crate::tool::anchor::{Wanted, replace};

/// Texts of this repository, each with a later form of it: some lines have another word, some are gone and some are new.
/// And, where they are installed, files of published packages with their next version.
fn corpus() -> Vec<(String, String)> {
    let texts = [
        include_str!("../search.rs"),
        include_str!("../../../../../ARCHITECTURE.md"),
        include_str!("../../../../../tests/run"),
    ];
    let changed = |(index, line): (usize, &str)| match index % 29 {
        7 => line.replacen("the", "some", 1).replacen("self", "this", 1).replacen('=', "= 0 +", 1),
        16 => String::new(),
        23 => format!("{line}    // and so on\n"),
        _ => line.to_owned(),
    };
    let own =
        texts.map(|text| (text.to_owned(), text.split_inclusive('\n').enumerate().map(changed).collect()));
    let published = ["chalk"].into_iter().filter_map(versions).flat_map(|(old, new)| {
        let changed = new.into_iter().filter_map(move |(path, new)| Some((old.get(&path)?.clone(), new)));
        changed.filter(|(old, new)| old != new)
    });
    own.into_iter().chain(published).collect()
}

/// One hunk of a change with lines around it, and the text with just that hunk.
struct Case {
    before: String,
    after: String,
    expected: String,
}

fn cases(old: &str, new: &str, around: usize) -> Vec<Case> {
    let (old, new) = (Lines::new(old), Lines::new(new));
    let lines = |lines: &Lines| lines.iter().map(str::to_owned).collect::<Vec<_>>();
    let changes = line_changes(&lines(&old), &lines(&new));
    let case = |change: kkcode_core::diff::LineChange| {
        let from = change.before.start.saturating_sub(around);
        let to = (change.before.end + around).min(old.len());
        let (head, tail) = (old.slice(from..change.before.start), old.slice(change.before.end..to));
        let middle = new.slice(change.after);
        Case {
            before: old.slice(from..to).to_owned(),
            after: [head, middle, tail].concat(),
            expected: [old.slice(0..change.before.start), middle, old.slice(change.before.end..old.len())]
                .concat(),
        }
    };
    changes.into_iter().map(case).filter(|case| !case.before.is_empty()).collect()
}

type Bend = fn(&str) -> String;

/// How models get a quotation wrong: each bends the quotation, and the new text likewise.
const BENT: &[(&str, Bend)] = &[
    ("nothing", str::to_owned),
    ("outdented", |text| each_line(text, |line| line.strip_prefix("    ").unwrap_or(line).to_owned())),
    ("indented", |text| {
        each_line(text, |line| if line.is_empty() { String::new() } else { format!("    {line}") })
    }),
    ("blanks for tabs", |text| text.replace('\t', "    ")),
    ("tabs for blanks", |text| text.replace("    ", "\t")),
    ("blanks behind", |text| each_line(text, |line| format!("{line}  "))),
    ("curly quotes", |text| text.replace('"', "\u{201c}").replace('\'', "\u{2019}")),
    ("a blank line lost", |text| text.replacen("\n\n", "\n", 1)),
    ("an ellipsis", |text| format!("...\n{text}")),
    ("an ellipsis in the middle", |text| {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let middle = lines.len() / 2;
        let line =
            |(index, line): (usize, &&str)| if index == middle { "    ...\n" } else { *line }.to_owned();
        lines.iter().enumerate().map(line).collect()
    }),
    ("the last line ending lost", |text| text.strip_suffix('\n').unwrap_or(text).to_owned()),
    ("signs of a diff in front", |text| each_line(text, |line| format!(" {line}"))),
    ("line numbers in front", |text| {
        let lines = text.split_inclusive('\n').enumerate();
        let numbered = lines.map(|(index, line)| format!("{:6}\u{2192}{line}", index + 41));
        numbered.collect::<Vec<_>>().concat()
    }),
    ("twice", |text| format!("{text}{text}")),
    ("a fence", |text| format!("```\n{text}```\n")),
    ("line endings of another system", |text| text.replace('\n', "\r\n")),
    ("the end lost", |text| {
        text.get(..text.floor_char_boundary(text.len() * 2 / 3)).unwrap_or_default().to_owned()
    }),
];

/// Every so many of the ways to bend a quotation are tried on one case.
const EVERY: usize = 4;

fn each_line(text: &str, bend: impl Fn(&str) -> String) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => bend(line) + "\n",
            None => bend(line),
        })
        .collect()
}

/// Returns a text with what may differ in new lines left out: the blanks around them and how quotes are drawn. Nothing
/// else of a right result may be otherwise.
fn loose(text: &str) -> String {
    let plain = text.replace(['\u{201c}', '\u{201d}'], "\"").replace('\u{2019}', "'");
    plain.lines().flat_map(|line| [line.trim(), "\n"]).collect()
}

#[test]
fn e07_a_quotation_is_found_in_its_own_place_or_refused() {
    let (mut right, mut refused) = (0, 0);
    let mut turn = 0;
    for (old, new) in corpus() {
        let crlf = old.replace('\n', "\r\n");
        for around in 0..=5 {
            for case in cases(&old, &new, around) {
                // Each case is bent in some of the ways, so that every way meets cases of every kind.
                turn += 1;
                let some = BENT.iter().enumerate().filter(|(way, _)| (way + turn) % EVERY == 0);
                for (name, bend) in some.map(|(_, bent)| bent) {
                    let (before, after) = (bend(&case.before), bend(&case.after));
                    // What loses its end quotes other lines: it says which, and they are replaced.
                    let is_cut = *name == "the end lost";
                    let result = replace("x", &Lines::new(old.as_str()), &before, &after, Wanted::One);
                    match result {
                        Err(_) => refused += 1,
                        Ok(made) if is_cut => {
                            assert_eq!(made.text.len() + before.len(), old.len() + after.len(), "{name}");
                        }
                        Ok(made) => {
                            // Bent so that it stands elsewhere to the letter, it means that place.
                            let elsewhere = *name != "nothing" && old.contains(&before);
                            let exact = ["nothing", "line endings of another system"].contains(name);
                            let is_right = if elsewhere {
                                made.text == old.replacen(&before, &after, 1)
                            } else if exact {
                                made.text == case.expected
                            } else {
                                loose(&made.text) == loose(&case.expected)
                            };
                            assert!(is_right, "{name}, {around} lines around:\n{before}\n→\n{after}");
                            right += 1;
                        }
                    }
                }
                // A file with other line endings gives the same, with its own endings.
                let (before, after) = (&case.before, &case.after);
                if let Ok(made) = replace("x", &Lines::new(crlf.as_str()), before, after, Wanted::One) {
                    assert_eq!(made.text, case.expected.replace('\n', "\r\n"));
                }
                // The lines of a diff are no quotation.
                let signed = |sign, text: &str| each_line(text, |line| format!("{sign}{line}"));
                let diff = replace(
                    "x",
                    &Lines::new(old.as_str()),
                    &signed('-', before),
                    &signed('+', after),
                    Wanted::One,
                );
                assert!(diff.is_err() || old.contains(&signed('-', before)), "{before}");
            }
        }
    }
    assert!(right > 200 && right > refused / 2, "{right} right, {refused} refused");
}

#[test]
fn e08_a_call_cut_at_any_byte_changes_nothing() {
    let input = json!({"path": "x.txt", "before": "two", "after": "zwei “\u{1f600}”\n"}).to_string();
    for cut in (0..input.len()).filter(|cut| input.is_char_boundary(*cut)) {
        let part = input.get(..cut).unwrap();
        assert!(serde_json::from_str::<Value>(part).is_err(), "{part}");
        // A provider that hands on what it has, as a text or as an object of what is there, gets a refusal.
        let mut world = super::World::new(&[("x.txt", "one\ntwo\n")]);
        assert!(world.call("edit", Value::String(part.to_owned())).is_err());
        assert_eq!(world.seen("x.txt").as_deref(), Some("one\ntwo\n"));
    }
    let whole: Value = serde_json::from_str(&input).unwrap();
    for (index, key) in ["path", "before", "after"].iter().enumerate() {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(*key);
        let mut world = super::World::new(&[("x.txt", "one\ntwo\n")]);
        assert!(world.call("edit", part).unwrap_err().contains("missing field"), "{index}");
    }
}
