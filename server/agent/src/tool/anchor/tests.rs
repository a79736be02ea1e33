use super::*;

fn edit(text: &str, before: &str, after: &str) -> Result<(String, Level), String> {
    replace("x", &Lines::new(text), before, after, Wanted::One).map(|made| (made.text, made.level))
}

fn check(text: &str, before: &str, after: &str, level: Level, expected: &str) {
    assert_eq!(
        edit(text, before, after),
        Ok((expected.to_owned(), level)),
        "{text:?}: {before:?} → {after:?}"
    );
}

fn all(text: &str, before: &str, after: &str) -> Result<String, String> {
    replace("x", &Lines::new(text), before, after, Wanted::All).map(|made| made.text)
}

#[test]
fn a_replacement_is_literal() {
    check("cost = X\n", "X", "a$&b$$c$`d\\1", Level::Exact, "cost = a$&b$$c$`d\\1\n");
    assert_eq!(all("aa b aa", "aa", "$$").unwrap(), "$$ b $$");
    assert_eq!(all("aaa", "aa", "b").unwrap(), "ba");
    check("é X ü", "X", "", Level::Exact, "é  ü");
}

#[test]
fn line_endings_stay_the_files_own() {
    check("a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", Level::Exact, "x\r\ny\r\nz\r\nc\r\n");
    check("a\r\nb\r\n", "b", "b\nc", Level::Exact, "a\r\nb\r\nc\r\n");
    check("a\r\nb\nc\n", "c", "c\nd", Level::Exact, "a\r\nb\nc\nd\n");
    check("a\r\nb\nc\rd", "a\nb\nc\nd", "a\nB\nc\nD\nE", Level::Exact, "a\r\nB\nc\rD\r\nE");
    check("a\r\nb", "a\r\nb", "c\r\nd", Level::Exact, "c\r\nd");
    assert_eq!(all("a\r\na\n", "a\n", "b\nc\n").unwrap(), "b\r\nc\r\nb\nc\n");
}

#[test]
fn what_is_not_there_once_is_refused() {
    assert!(edit("abc", "x", "y").unwrap_err().contains("does not stand in x"));
    let refusal = edit("a\nb\na\n", "a", "y").unwrap_err();
    assert!(refusal.contains("2 times, at lines 1, 3"), "{refusal}");
    assert!(edit("aaa", "aa", "y").unwrap_err().contains("2 times"), "places may overlap");
    assert!(edit("abc", "", "y").unwrap_err().contains("empty"));
    assert!(edit("abc", "a", "a").unwrap_err().contains("nothing to change"));
}

#[test]
fn blanks_at_the_ends_of_lines_may_differ_and_stay() {
    check("a  \nb\t\nc\n", "a\nb\nc\n", "a\nB\nc\n", Level::TrailingBlanks, "a  \nB\nc\n");
    check("a  \r\nb\r\nc", "a\nb \nc", "a\nx\ny\nc", Level::TrailingBlanks, "a  \r\nx\r\ny\r\nc");
    assert!(edit("a \nb\na \nb\n", "a\nb\n", "c\n").unwrap_err().contains("at lines 1, 3"));
    let refusal = edit("a  \nb\nc\n", "a\nb\n", "x").unwrap_err();
    assert!(refusal.contains("does not stand"), "lines would be joined: {refusal}");
}

#[test]
fn another_indentation_is_the_files() {
    let file = "fn f() {\n    if x {\n        y();\n    }\n}\n";
    let (before, after) = ("if x {\n    y();\n}", "if x {\n    y();\n\n    z();\n}");
    check(
        file,
        before,
        after,
        Level::Indentation,
        "fn f() {\n    if x {\n        y();\n\n        z();\n    }\n}\n",
    );
    check("a:\n\tb\n\tc\n", "b\nc\n", "b\nd\n", Level::Indentation, "a:\n\tb\n\td\n");
    check("b\n\nc\n", "  b\n\n  c\n", "  b\n\n  d\n", Level::Indentation, "b\n\nd\n");
    assert!(edit("a:\n\tb\n", "  a:\n    b", "x").is_err(), "tabs and blanks");
    assert!(edit("a\n  b\n", "  a\n  b\n  ", "x").is_err(), "not the same in every line");
    let refusal = edit("b\nc\n", "  b\n  c", "  b\nd").unwrap_err();
    assert!(refusal.contains("cannot be indented likewise"), "{refusal}");
}

#[test]
fn typographic_characters_stay_where_the_model_changes_nothing() {
    check(
        "say “hello” — world\nit’s\n",
        "say \"hello\" - world\nit's\n",
        "say \"hello\" - there\nit's\n",
        Level::Typography,
        "say “hello” — there\nit’s\n",
    );
    check("a\u{a0}b", "a b", "a c", Level::Typography, "a\u{a0}c");
}

#[test]
fn a_failure_shows_the_nearest_lines() {
    let refusal =
        edit("one\nlet total = first + second;\nthree\n", "let total = first - second", "x").unwrap_err();
    assert!(refusal.contains("     2→let total = first + second;"), "{refusal}");
    assert!(!edit("one\ntwo\n", "entirely different", "x").unwrap_err().contains('→'));
}

#[test]
fn a_long_quotation_is_refused_at_once() {
    let (file, before) = ("\n".repeat(200_000), "x\n".repeat(500_000));
    assert!(edit(&file, &before, "y").unwrap_err().len() < 1_000);
}
