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
