//! `demo`: what it shows is so, and it leaves nothing behind.

use std::fs;

use serde_json::{Value, json};

use super::{command, errors};

#[test]
fn the_demo_shows_the_whole_journey_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let before = fs::read_dir(dir.path()).unwrap().count();
    let output = command(dir.path(), dir.path(), &["demo"]).env("TMPDIR", dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!told.contains('\u{1b}'), "no colours into a pipe");
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
        assert_eq!(line, line.trim_end(), "blanks at the end");
    }
    let begin = |sign: &str| told.lines().filter(|line| line.starts_with(sign)).count();
    assert_eq!((begin("-"), begin("+")), (4, 5), "{told}");
    for part in [
        "read shop.py  done\n  read README.md  done\n",
        "edit shop.py  proposed",
        "✓ accepted",
        "✗ rejected",
        "kill -9",
        "scripted model",
        "CURRENCY",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before, "nothing is left");
}

#[test]
fn what_is_kept_is_what_was_shown() {
    let dir = tempfile::tempdir().unwrap();
    let demo = || command(dir.path(), dir.path(), &["demo", "--keep", "kept", "--json"]).output().unwrap();
    let output = demo();
    let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts: Vec<&Value> =
        facts["decided"].as_array().unwrap().iter().map(|decision| &decision["verdict"]).collect();
    assert_eq!(verdicts, ["accepted", "rejected", "accepted", "accepted"]);
    let shop = fs::read_to_string(dir.path().join("kept/shop/shop.py")).unwrap();
    assert_eq!(facts["file"]["text"], json!(shop));
    assert!(shop.starts_with("CURRENCY = \"EUR\"\n") && !shop.contains("round("), "{shop}");
    let readme = fs::read_to_string(dir.path().join("kept/shop/README.md")).unwrap();
    assert!(readme.contains("a `quantity`"), "{readme}");
    let again = demo();
    assert_eq!((again.status.code(), errors(&again).contains("is not empty")), (Some(2), true));
}
