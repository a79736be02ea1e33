//! The specification has a section for every message, and names its members.

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

/// A heading of the specification with the text up to the next one.
struct Section {
    heading: &'static str,
    text: &'static str,
}

fn sections() -> Vec<Section> {
    let parts = README.split("\n#").skip(1);
    parts
        .map(|part| {
            let (heading, text) = part.split_once('\n').unwrap();
            Section { heading: heading.trim_start_matches(['#', ' ']), text }
        })
        .collect()
}

impl Section {
    /// Returns what a link to the section has behind its `#`.
    fn anchor(&self) -> String {
        let kept = self.heading.chars().filter(|char| char.is_alphanumeric() || *char == ' ');
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    }

    /// Returns the anchors of the sections that this one refers to.
    fn links(&self) -> impl Iterator<Item = &'static str> {
        self.text.split("](#").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
    }
}

#[test]
fn every_link_leads_to_a_section() {
    let sections = sections();
    for section in &sections {
        for link in section.links() {
            let leads = sections.iter().any(|section| section.anchor() == link);
            assert!(leads, "README.md: {}: there is no #{link}", section.heading);
        }
    }
}

/// Returns the words of a message's section and of all sections that it refers to.
#[cfg(feature = "schema")]
fn words(message: &str) -> std::collections::BTreeSet<&'static str> {
    let sections = sections();
    let is_open = |section: &&Section| section.heading.contains(&format!("`{message}`"));
    let mut open: Vec<&Section> = sections.iter().filter(is_open).collect();
    let mut words = std::collections::BTreeSet::new();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(section) = open.pop() {
        if seen.insert(section.heading) {
            words.extend(section.text.split(|char: char| !char.is_alphanumeric()));
            let linked = |link| sections.iter().find(|section| section.anchor() == link);
            open.extend(section.links().filter_map(linked));
        }
    }
    words
}

#[cfg(feature = "schema")]
#[test]
fn every_section_names_all_members() {
    use crate::generate::{Body, Model};

    let model = Model::of_all_messages().unwrap();
    for message in model.messages() {
        let words = words(message.spec.name);
        for name in std::iter::once(&message.params).chain(&message.result) {
            let declaration =
                model.declarations.iter().find(|declaration| declaration.name == *name).unwrap();
            let Body::Object(members) = &declaration.body else { panic!("{name} is no object") };
            for member in members {
                assert!(words.contains(member.name.as_str()), "`{}`: {}", message.spec.name, member.name);
            }
        }
    }
}
