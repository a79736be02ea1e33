use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::id::{ProposalId, TurnId};
use crate::lines::TextHash;
use crate::proposal::{NewHunk, Verdict, hunk_id};

/// The hunks that lead from one text to the other.
fn hunks(base: &Lines, proposed: &Lines) -> Vec<Hunk> {
    let (old, new): (Vec<_>, Vec<_>) = (base.iter().collect(), proposed.iter().collect());
    line_changes(&old, &new)
        .into_iter()
        .enumerate()
        .map(|(ordinal, change)| {
            let new = NewHunk {
                old: change.before.clone(),
                old_text: base.slice(change.before).into(),
                new_text: proposed.slice(change.after).into(),
            };
            Hunk {
                id: hunk_id(&ProposalId::new("p"), "/x".as_ref(), &new, ordinal),
                turn: TurnId::new("t"),
                base: TextHash::of(base.text()),
                old: new.old,
                old_text: new.old_text,
                new_text: new.new_text,
                kind: ChangeKind::Modify,
                over: None,
                split_from: None,
                rejected_before: false,
                verdict: Verdict::Undecided,
                told: false,
            }
        })
        .collect()
}

/// The base with some of the hunks in it.
fn with(base: &Lines, hunks: &[Hunk], taken: &[bool]) -> Lines {
    let mut text = String::new();
    let mut line = 0;
    for (hunk, taken) in hunks.iter().zip(taken) {
        text += base.slice(line..hunk.old.start);
        text += if *taken { &hunk.new_text } else { &hunk.old_text };
        line = hunk.old.end;
    }
    text += base.slice(line..base.len());
    Lines::new(text)
}

fn pending(hunks: &[Hunk]) -> Vec<(&Hunk, bool)> {
    hunks.iter().map(|hunk| (hunk, false)).collect()
}

/// `-` pending, `+` in the text, `!` stale, each with its lines.
fn render(placement: &Layer) -> String {
    let mark = |place: &Place| match place.holds {
        Holds::Old => '-',
        Holds::New => '+',
        Holds::Over => '~',
        Holds::Neither => '!',
    };
    let all: Vec<String> =
        placement.places.iter().map(|place| format!("{}{:?}", mark(place), place.lines)).collect();
    all.join(" ")
}

#[track_caller]
fn check(base: &str, proposed: &str, text: &str, expected: &str) {
    let (base, proposed) = (Lines::new(base), Lines::new(proposed));
    let hunks = hunks(&base, &proposed);
    let placement = Layer::derive(&base, &pending(&hunks), &Lines::new(text));
    assert_eq!(render(&placement), expected);
}

const BASE: &str = "one\ntwo\nthree\nfour\nfive\n";
const PROPOSED: &str = "one\nTWO\nthree\nfour\nFIVE\nsix\n";

#[test]
fn an_untouched_text_has_every_hunk_in_its_place() {
    check(BASE, PROPOSED, BASE, "-1..2 -4..5");
}

#[test]
fn a_hunk_that_is_in_the_text_is_seen_there() {
    check(BASE, PROPOSED, "one\nTWO\nthree\nfour\nfive\n", "+1..2 -4..5");
    check(BASE, PROPOSED, PROPOSED, "+1..2 +4..6");
}

#[test]
fn line_endings_and_a_byte_order_mark_are_the_editors() {
    check(BASE, PROPOSED, "\u{feff}one\r\nTWO\r\nthree\r\nfour\r\nfive", "+1..2 -4..5");
}

#[test]
fn a_change_of_endings_alone_is_judged_by_its_bytes() {
    check("a\nb", "a\nb\n", "a\nb", "-1..2");
    check("a\nb", "a\nb\n", "a\nb\n", "+1..2");
}

#[test]
fn lines_typed_elsewhere_only_move_the_hunks() {
    check(BASE, PROPOSED, "zero\none\ntwo\nthree\n3.5\nfour\nfive\n", "-2..3 -6..7");
    check(BASE, PROPOSED, "two\nthree\nfour\nfive\nafter\n", "-0..1 -3..4");
}

#[test]
fn lines_typed_into_a_hunk_make_that_hunk_stale_and_no_other() {
    check(BASE, PROPOSED, "one\ntwo!\nthree\nfour\nfive\n", "!1..2 -4..5");
    check(BASE, PROPOSED, "one\nthree\nfour\nfive\n", "!1..1 -3..4");
}

#[test]
fn at_a_pure_insertion_the_users_lines_stay_above() {
    check("a\nb\n", "a\nnew\nb\n", "a\nmine\nb\n", "-2..2");
}

#[test]
fn equal_lines_next_to_each_other_are_told_apart() {
    check("a\nb\n", "a\na\nb\n", "a\na\nb\n", "+1..2");
    check("x\nx\nx\n", "x\ny\nx\n", "x\ny\nx\n", "+1..2");
}

#[test]
fn undo_brings_a_stale_hunk_back() {
    let base = Lines::new(BASE);
    let hunks = hunks(&base, &Lines::new(PROPOSED));
    let (lines, mut placement) = Layer::expected(&base, &pending(&hunks));
    let typed = vec!["two, they said".to_owned(), "and more".to_owned()];
    assert_eq!(placement.reach(1..2), 1..2);
    placement.follow(1, &lines[1..2], &typed);
    assert_eq!(render(&placement), "!1..3 -5..6");
    placement.follow(placement.reach(1..3).start, &typed, &lines[1..2]);
    assert_eq!(render(&placement), "-1..2 -4..5");
}

#[test]
fn undo_of_an_accept_makes_the_hunk_pending_again() {
    let base = Lines::new(BASE);
    let hunks = hunks(&base, &Lines::new(PROPOSED));
    let (lines, mut placement) = Layer::expected(&base, &pending(&hunks));
    let new = vec!["TWO".to_owned()];
    placement.follow(1, &lines[1..2], &new);
    assert_eq!(render(&placement), "+1..2 -4..5");
    placement.follow(1, &new, &lines[1..2]);
    assert_eq!(render(&placement), "-1..2 -4..5");
}

#[test]
fn one_range_for_two_accepted_hunks_is_read_as_both() {
    let base = Lines::new(BASE);
    let hunks = hunks(&base, &Lines::new(PROPOSED));
    let (lines, mut placement) = Layer::expected(&base, &pending(&hunks));
    let after: Vec<String> = Lines::new(PROPOSED).keys(Compare::Content);
    placement.follow(0, &lines, &after);
    assert_eq!(render(&placement), "+1..2 +4..6");
}

#[test]
fn two_hunks_that_one_edit_made_into_the_same_lines_move_together() {
    let base = Lines::new("a\nb\na\na\n\nb\nc\nb\nb\n");
    let hunks = hunks(&base, &Lines::new("c\n"));
    let (mut text, mut placement) = Layer::expected(&base, &pending(&hunks));
    let mut replace = |lines: Range<usize>, new: &[&str]| {
        let reach = placement.reach(lines.clone());
        let before = text[reach.clone()].to_vec();
        let end = reach.end + new.len() - lines.len();
        text.splice(lines, new.iter().map(|line| (*line).to_owned()));
        placement.follow(reach.start, &before, &text[reach.start..end]);
        render(&placement)
    };
    assert_eq!(replace(5..8, &["a"]), "!0..6 !5..7");
    assert_eq!(replace(0..2, &[]), "!0..4 !3..5");
}

fn any_lines() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&["a\n", "b\n", "c\n", "}\n", "\n", "x = 1\n"][..]), 0..14)
        .prop_map(|l| l.concat())
}

/// Replaces the lines of one place and follows it.
fn accept(text: &mut Vec<String>, placement: &mut Layer, hunk: &HunkId) {
    let place = placement.places.iter().find(|place| place.hunk == *hunk).unwrap().clone();
    let reach = placement.reach(place.lines.clone());
    let before = text[reach.clone()].to_vec();
    let new = place.new.clone().unwrap();
    text.splice(place.lines.clone(), new.clone());
    let after = text[reach.start..reach.end + new.len() - place.lines.len()].to_vec();
    placement.follow(reach.start, &before, &after);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_subset_is_in_the_text_taking_the_rest_gives_the_proposed_text(
        base in any_lines(), proposed in any_lines(), taken in prop::collection::vec(any::<bool>(), 15), order in any::<usize>(),
    ) {
        let (base, proposed) = (Lines::new(base), Lines::new(proposed));
        let hunks = hunks(&base, &proposed);
        let text = with(&base, &hunks, &taken);
        let mut placement = Layer::derive(&base, &pending(&hunks), &text);
        prop_assert!(placement.places.iter().all(|place| place.holds != Holds::Neither), "{}", render(&placement));
        let mut text = text.keys(Compare::Content);
        let mut left: Vec<HunkId> =
            placement.places.iter().filter(|place| place.holds == Holds::Old).map(|place| place.hunk.clone()).collect();
        let mut order = order;
        while !left.is_empty() {
            let next = left.remove(order % left.len());
            order = order.rotate_left(7);
            if placement.places.iter().find(|place| place.hunk == next).unwrap().holds == Holds::Old {
                accept(&mut text, &mut placement, &next);
            }
        }
        prop_assert_eq!(text, proposed.keys(Compare::Content));
        prop_assert!(placement.places.iter().all(|place| place.holds == Holds::New), "{}", render(&placement));
    }

    #[test]
    fn places_are_always_true_of_the_text(
        base in any_lines(), proposed in any_lines(),
        edits in prop::collection::vec((0..16_usize, 0..4_usize, any_lines()), 1..8),
    ) {
        let (base, proposed) = (Lines::new(base), Lines::new(proposed));
        let hunks = hunks(&base, &proposed);
        let (mut text, mut placement) = Layer::expected(&base, &pending(&hunks));
        for (start, len, new) in edits {
            let start = start.min(text.len());
            let end = (start + len).min(text.len());
            let new = Lines::new(new).keys(Compare::Content);
            let reach = placement.reach(start..end);
            let before = text[reach.clone()].to_vec();
            text.splice(start..end, new.clone());
            let after = text[reach.start..reach.end + new.len() - (end - start)].to_vec();
            placement.follow(reach.start, &before, &after);
            for place in &placement.places {
                let lines = text.get(place.lines.clone()).expect("a place is in the text");
                match place.holds {
                    Holds::Old => prop_assert_eq!(lines, &place.old[..]),
                    Holds::New => prop_assert_eq!(lines, place.new.as_deref().unwrap()),
                    Holds::Over => prop_assert_eq!(lines, place.over.as_deref().unwrap()),
                    Holds::Neither => {}
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Following each change says the same as a look at the whole text, where lines are neither repeated nor moved, so that
    /// there is one answer; where following says itself that it is not sure, the look is taken.
    #[test]
    fn following_each_change_is_as_good_as_looking_at_the_whole(
        changed in prop::collection::vec(any::<bool>(), 12),
        edits in prop::collection::vec((0..14_usize, 0..3_usize, 0..3_usize, any::<bool>()), 1..7),
    ) {
        let base: Vec<String> = (0..12).map(|line| format!("base {line}\n")).collect();
        let proposed: Vec<String> = base
            .iter()
            .zip(&changed)
            .enumerate()
            .map(|(line, (text, changed))| if *changed { format!("new {line}\n") } else { text.clone() })
            .collect();
        let (base, proposed) = (Lines::new(base.concat()), Lines::new(proposed.concat()));
        let hunks = hunks(&base, &proposed);
        let (mut text, mut layer) = Layer::expected(&base, &pending(&hunks));
        for (number, (start, len, added, back)) in edits.into_iter().enumerate() {
            let start = start.min(text.len());
            let end = (start + len).min(text.len());
            // The user types something of his own, or puts lines of the base back where they were.
            let own = (0..added).map(|line| format!("typed {number} {line}"));
            let of_base = (start..start + added).filter_map(|line| base.iter().nth(line));
            let of_base = of_base.map(|line| line.trim_end().to_owned()).filter(|line| !text.contains(line));
            let mut new: Vec<String> = if back { of_base.collect() } else { own.collect() };
            // Of lines in another order a look cannot tell which of them moved.
            let mut after = text.clone();
            after.splice(start..end, new.clone());
            let order = after.iter().filter_map(|line| line.strip_prefix("base ")?.parse::<usize>().ok());
            if !order.is_sorted() {
                new.clear();
            }
            let reach = layer.reach(start..end);
            let before = text[reach.clone()].to_vec();
            text.splice(start..end, new.clone());
            let after = text[reach.start..reach.end + new.len() - (end - start)].to_vec();
            let followed = layer.follow(reach.start, &before, &after);
            let whole = Layer::derive(&base, &pending(&hunks), &Lines::new(text.join("\n")));
            let holds = |layer: &Layer| layer.places.iter().map(|place| place.holds).collect::<Vec<_>>();
            for (fast, slow) in layer.places.iter().zip(&whole.places) {
                if !followed.unsure {
                    prop_assert_eq!(fast.holds, slow.holds, "{:?} {:?} {:?}", text, fast, slow);
                }
            }
            if followed.unsure || holds(&layer) != holds(&whole) {
                layer = whole;
            }
        }
    }
}

#[test]
fn names_of_equal_hunks_differ_and_names_are_stable() {
    let new = NewHunk { old: 0..1, old_text: Arc::from("a\n"), new_text: Arc::from("b\n") };
    let id = |ordinal| hunk_id(&ProposalId::new("p"), "/x".as_ref(), &new, ordinal);
    assert_eq!(id(0), id(0));
    assert_ne!(id(0), id(1));
    assert_eq!(id(0).as_str().len(), 16);
}
