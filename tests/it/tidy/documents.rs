//! What the papers at the root must say.

use super::layers::{Package, packages};
use super::{assert_found, assert_none, file, root};

/// The two licenses between which a user may choose.
const LICENSE: &str = "MIT OR Apache-2.0";

fn without_license(package: &Package) -> Option<String> {
    let found = package.license.as_deref();
    (found != Some(LICENSE)).then(|| format!("{}: its license is {found:?}, not {LICENSE}", package.name))
}

/// Returns what of `words` does not occur in `text`.
fn unmentioned<'a>(path: &str, text: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let missing = words.into_iter().filter(|word| !text.contains(word));
    missing.map(|word| format!("{path}: does not mention {word}")).collect()
}

/// Returns the folders of the workspace's members, as its manifest lists them.
fn members(manifest: &str) -> Vec<&str> {
    let list = manifest
        .split_once("\nmembers = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or("", |(list, _)| list);
    list.split(',')
        .map(|member| member.trim().trim_matches('"'))
        .filter(|member| !member.is_empty())
        .collect()
}

fn has_current_section(changelog: &str) -> bool {
    changelog
        .lines()
        .any(|line| line.starts_with("## ") && (line.contains("Unreleased") || line.contains("0.1.0")))
}

#[test]
fn every_crate_carries_the_license() {
    assert_none(&packages().iter().filter_map(without_license).collect::<Vec<_>>());
    for text in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(root().join(text).is_file(), "there is no {text}");
    }
}

#[test]
fn the_architecture_shows_every_room() {
    let members = members(&file("Cargo.toml").text);
    assert_eq!(members.len(), packages().len());
    let rooms = members.iter().copied().chain(["neovim", "vscode-extension"]);
    assert_none(&unmentioned("ARCHITECTURE.md", &file("ARCHITECTURE.md").text, rooms));
}

#[test]
fn the_test_command_runs_every_crate() {
    let packages = packages();
    let names = packages.iter().map(|package| package.name.as_str());
    assert_none(&unmentioned("tests/run", &file("tests/run").text, names));
}

#[test]
fn the_changelog_has_a_section_for_what_comes_next() {
    assert!(has_current_section(&file("CHANGELOG.md").text));
}

#[test]
fn a_room_that_is_not_shown_is_found() {
    let manifest = "[workspace]\nmembers = [\n  \"protocol\",\n  \"server/core\",\n]\n";
    assert_eq!(members(manifest), ["protocol", "server/core"]);
    let findings = unmentioned("ARCHITECTURE.md", "only `protocol/`", members(manifest));
    assert_found(&findings, "does not mention server/core");
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_crate_without_license_is_found() {
    let package = |license: Option<&str>| Package::sample("kkcode-new", license);
    assert!(without_license(&package(None)).is_some());
    assert!(without_license(&package(Some("GPL-3.0"))).is_some());
    assert!(without_license(&package(Some(LICENSE))).is_none());
}

#[test]
fn a_changelog_that_stopped_is_found() {
    assert!(has_current_section("# Changelog\n\n## Unreleased\n"));
    assert!(!has_current_section("# Changelog\n\n## 0.0.1\n\nUnreleased\n"));
}
