use super::specs;

const README: &str = include_str!("../../../README.md");

/// Returns the words of the headings that stand in back quotes.
fn headings() -> Vec<&'static str> {
    let lines = README.lines().filter(|line| line.starts_with('#'));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_specification_has_one_section_for_each_message() {
    let headings = headings();
    for spec in specs() {
        let sections = headings.iter().filter(|heading| **heading == spec.name).count();
        assert_eq!(sections, 1, "README.md: headings with `{}`", spec.name);
    }
}

#[test]
fn the_specification_has_no_section_for_a_message_that_is_none() {
    for heading in headings() {
        if heading.starts_with("kkcode.") || heading.starts_with("kkcode/") {
            assert!(specs().any(|spec| spec.name == heading), "README.md: `{heading}` is not in the lists");
        }
    }
}
