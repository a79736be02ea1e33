//! The lists of messages hold what they should.

mod examples;
mod readme;

use std::collections::BTreeSet;

use super::*;
use crate::commands::COMMANDS;
use crate::notifications::NOTIFICATIONS;
use crate::requests::REQUESTS;

/// Returns the rows of all lists.
fn specs() -> impl Iterator<Item = MessageSpec> {
    [COMMANDS, REQUESTS, NOTIFICATIONS].into_iter().flatten().copied()
}

#[derive(Default)]
struct Names(Vec<&'static str>);

impl Visitor for Names {
    fn command<C: Command>(&mut self) {
        self.0.push(C::NAME);
    }

    fn request<R: Request>(&mut self) {
        self.0.push(R::NAME);
    }

    fn notification<N: Notification>(&mut self) {
        self.0.push(N::NAME);
    }
}

#[test]
fn every_listed_message_is_visited_and_no_name_is_given_twice() {
    let mut names = Names::default();
    visit_all(&mut names);

    let listed: Vec<_> = specs().map(|spec| spec.name).collect();
    assert_eq!(names.0, listed);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
}

#[test]
fn commands_are_named_with_dots_and_methods_with_slashes() {
    for spec in COMMANDS {
        assert!(spec.name.starts_with("kkcode.") && !spec.name.contains('/'), "{}", spec.name);
    }
    for spec in REQUESTS.iter().chain(NOTIFICATIONS) {
        assert!(spec.name.starts_with("kkcode/") && !spec.name.contains('.'), "{}", spec.name);
    }
}

#[test]
fn every_message_says_in_one_sentence_what_it_does() {
    for spec in specs() {
        assert!(spec.doc.ends_with('.') && !spec.doc.starts_with(' '), "{}: {}", spec.name, spec.doc);
    }
}
