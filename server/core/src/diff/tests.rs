use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::lines::Lines;
use crate::text::tests::any_text;

proptest! {
    #[test]
    fn changes_lead_from_one_text_to_the_other(before in any_text(), after in any_text()) {
        let (before, after) = (Lines::new(before), Lines::new(after));
        let (old, new): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
        let mut text = String::new();
        let mut line = 0;
        for change in line_changes(&old, &new) {
            text += before.slice(line..change.before.start);
            text += after.slice(change.after.clone());
            line = change.before.end;
        }
        text += before.slice(line..before.len());
        prop_assert_eq!(text.as_str(), &**after.text());
    }

    #[test]
    fn without_lines_that_are_held_fast_it_is_the_library_that_compares(
        before in prop::collection::vec("[ab]|  [ab]", 0..40),
        after in prop::collection::vec("[ab]|  [ab]", 0..40),
    ) {
        let twice = |lines: Vec<String>| -> Vec<String> { lines.iter().chain(&lines).cloned().collect() };
        let (before, after) = (twice(before), twice(after));
        let mut input = InternedInput::default();
        input.update_before(before.iter().map(String::as_str));
        input.update_after(after.iter().map(String::as_str));
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        diff.postprocess_lines(&input);
        let wide = |range: Range<u32>| range.start as usize..range.end as usize;
        let expected: Vec<LineChange> = diff
            .hunks()
            .map(|hunk| LineChange { before: wide(hunk.before), after: wide(hunk.after) })
            .collect();
        prop_assert_eq!(line_changes(&before, &after), expected);
    }
}

#[test]
fn a_unified_diff_reads_as_git_writes_it() {
    let diff = unified("a\nb\nc\n", "a\nB\nc", "a/x", "b/x");
    expect![[r#"
        --- a/x
        +++ b/x
        @@ -1,3 +1,3 @@
         a
        -b
        -c
        +B
        +c
        \ No newline at end of file
    "#]]
    .assert_eq(&diff);
    assert_eq!(unified("a\n", "a\n", "a", "b"), "");
}

#[test]
fn lines_that_are_there_once_keep_many_changes_apart() {
    let old: Vec<String> = (0..3_000).map(|line| format!("line {line}")).collect();
    let new: Vec<String> = (0..3_000)
        .map(|line| if line % 3 == 1 { format!("LINE {line}") } else { format!("line {line}") })
        .collect();
    let changes = line_changes(&old, &new);
    assert_eq!(changes.len(), 1_000);
    assert!(changes.iter().all(|change| change.before.len() == 1 && change.before == change.after));
    // What has moved is taken out in one place and put in at the other.
    let moved = line_changes(&["a", "b", "c", "d"], &["b", "c", "d", "a"]);
    assert_eq!(moved.len(), 2);
}

#[test]
fn too_many_lines_are_one_change_and_what_frames_them_is_left_alone() {
    let side = |mark: &str| -> Vec<String> {
        let many = (0..21_000).map(|line| format!("{mark} {}", line % 7));
        ["first".to_owned()].into_iter().chain(many).chain(["last".to_owned()]).collect()
    };
    let changes = line_changes(&side("old"), &side("new"));
    assert_eq!(changes, [LineChange { before: 1..21_001, after: 1..21_001 }]);
    assert!(is_coarse(21_000, 21_000));
}
