use proptest::prelude::*;

use super::*;
use crate::text::Position;
use crate::text::tests::{any_encoding, any_text, naive_byte};

fn document(text: &str) -> Document {
    Document {
        uri: DocumentUri::new("file:///x"),
        path: Some(PathBuf::from("/x")),
        language_id: "text".into(),
        version: 0,
        text: Rope::from_str(text),
        out_of_sync: false,
    }
}

fn any_position() -> impl Strategy<Value = Position> {
    // Now and then far outside, to be clamped.
    prop_oneof![8 => (0..12_u32, 0..14_u32), 1 => (0..12_u32, Just(u32::MAX)), 1 => (Just(u32::MAX), 0..3_u32)]
        .prop_map(|(line, character)| Position::new(line, character))
}

fn any_change() -> impl Strategy<Value = ContentChange> {
    let ranged = (any_position(), any_position(), any_text())
        .prop_map(|(start, end, text)| ContentChange { range: Some(TextRange::new(start, end)), text });
    prop_oneof![30 => ranged, 1 => any_text().prop_map(|text| ContentChange { range: None, text })]
}

/// The client's side: bytes cut and joined.
fn splice(text: &mut String, change: &ContentChange, encoding: PositionEncoding) {
    match change.range {
        None => text.clone_from(&change.text),
        Some(range) if range.end < range.start => {}
        Some(range) => {
            let bytes = naive_byte(text, range.start, encoding)..naive_byte(text, range.end, encoding);
            text.replace_range(bytes, &change.text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    // E-01
    #[test]
    fn an_edit_script_gives_the_same_text_as_splicing_bytes(
        text in any_text(), changes in prop::collection::vec(any_change(), 0..30), encoding in any_encoding(),
    ) {
        let mut document = document(&text);
        let mut oracle = text;
        for change in &changes {
            if change.range.is_some_and(|range| range.end < range.start) {
                continue;
            }
            prop_assert!(document.apply(change, encoding).is_ok());
            splice(&mut oracle, change, encoding);
            prop_assert_eq!(document.text.to_string(), oracle.clone());
        }
    }

    #[test]
    fn a_document_out_of_sync_waits_for_the_whole_text(text in any_text(), changes in prop::collection::vec(any_change(), 1..20)) {
        let encoding = PositionEncoding::Utf16;
        let mut document = document(&text);
        let reversed = ContentChange { range: Some(TextRange::new(Position::new(1, 0), Position::new(0, 0))), text: "x".into() };
        prop_assert!(document.apply(&reversed, encoding).is_err());
        prop_assert_eq!(document.text.to_string(), text.clone());
        let mut expected: Option<String> = None;
        for change in &changes {
            let applied = document.apply(change, encoding).is_ok();
            match (&mut expected, change.range) {
                (_, None) => expected = Some(change.text.clone()),
                (Some(_), Some(range)) if range.end < range.start => {
                    prop_assert!(!applied);
                    break;
                }
                (Some(oracle), Some(_)) => splice(oracle, change, encoding),
                (None, Some(_)) => {}
            }
            prop_assert_eq!(document.out_of_sync, expected.is_none());
            prop_assert_eq!(document.text.to_string(), expected.clone().unwrap_or_else(|| text.clone()));
        }
    }
}

// E-06
#[test]
fn ten_thousand_random_changes_leave_mirror_and_client_equal() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    for encoding in [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32] {
        let mut runner = TestRunner::deterministic();
        let mut document = document("");
        let mut client = String::new();
        let changes = any_change();
        for _ in 0..10_000 {
            let mut change = changes.new_tree(&mut runner).unwrap().current();
            if let Some(range) = &mut change.range
                && range.end < range.start
            {
                std::mem::swap(&mut range.start, &mut range.end);
            }
            if client.len() > 4_000 {
                change.range = None;
            }
            document.apply(&change, encoding).unwrap();
            splice(&mut client, &change, encoding);
            assert_eq!(document.text.len_bytes(), client.len());
        }
        assert_eq!(document.text.to_string(), client);
    }
}

#[test]
fn a_file_is_found_by_its_path_whatever_its_uri_looks_like() {
    let mut documents = Documents::default();
    let mut opened = document("a");
    opened.uri = DocumentUri::new("file:///x%20y");
    opened.path = Some(PathBuf::from("/x y"));
    documents.open(opened);
    assert_eq!(documents.by_path(Path::new("/x y")).unwrap().uri.as_str(), "file:///x%20y");
    assert!(documents.get(&DocumentUri::new("file:///x y")).is_none());
    assert!(documents.close(&DocumentUri::new("file:///x%20y")).is_some());
    assert!(documents.by_path(Path::new("/x y")).is_none());
}
