use super::*;

const ONE: &str = r#"{"type":"delta","delta":{"text":"some words"}}"#;

/// Notes a frame that says these words.
fn noted(frame: &str, words: &str) -> Alike {
    let mut alike = Alike::default();
    alike.note(frame, Frame::Words, &[text(words)]);
    alike
}

fn read(alike: &mut Alike, frame: &str) -> Option<StreamEvent> {
    alike.read(frame.as_bytes())
}

fn text(words: &str) -> StreamEvent {
    StreamEvent::Text(words.to_owned())
}

#[test]
fn other_words_in_the_same_place_are_read() {
    let mut alike = noted(ONE, "some words");
    for words in ["other", " ", "日本語 🦀", "it's {no: 1}", &"a".repeat(70), "\n\n", "\"no\" \\", "\u{1f}"]
    {
        let string = serde_json::to_string(words).unwrap();
        assert_eq!(read(&mut alike, &ONE.replace("\"some words\"", &string)), Some(text(words)), "{words:?}");
    }
    assert_eq!(read(&mut alike, &ONE.replace("some words", r"\u65e5\ud83e\udd80")), Some(text("日🦀")));
}

#[test]
fn words_may_also_stand_in_the_names_around_them() {
    let mut alike = noted(&ONE.replace("some words", "e"), "e");
    assert_eq!(read(&mut alike, ONE), Some(text("some words")));
}

#[test]
fn what_is_not_the_same_but_for_its_words_is_decoded() {
    let mut alike = noted(ONE, "some words");
    for frame in [
        // No string, more than one, what none may have, and an empty one.
        ONE.replace("some words", r"a\ud800"),
        ONE.replace("some words", r"a\"),
        ONE.replace("some words", r#"a","text":"b"#),
        ONE.replace("some words", "a\u{1f}b"),
        ONE.replace("some words", ""),
        ONE.replace("delta\",", "other\","),
        format!("{ONE} "),
        ONE.replace("}}", "}"),
        String::new(),
        // Head and tail must not lie over each other.
        r#"{"type":"delta","delta":{"text":"}}"#.to_owned(),
    ] {
        assert_eq!(read(&mut alike, &frame), None, "{frame}");
    }
    assert_eq!(read(&mut alike, ONE), Some(text("some words")), "it is still known");
}

#[test]
fn words_that_may_have_come_from_elsewhere_are_no_pattern() {
    for (frame, words) in [
        // Twice in it, escaped in it, no whole text of it, not in it.
        (r#"{"kind":"hi","text":"hi"}"#, "hi"),
        (r#"{"hi":1,"text":"\u0068i"}"#, "hi"),
        (r#"{"text":"oh hi"}"#, "hi"),
        (r#"{"text":"oh hi"}"#, "there"),
    ] {
        assert_eq!(noted(frame, words).read(frame.as_bytes()), None, "{frame}");
    }
    let said = [StreamEvent::Text("some words".into()), StreamEvent::Begun];
    let mut alike = noted(ONE, "some words");
    alike.note(ONE, Frame::Words, &said);
    assert_eq!(read(&mut alike, ONE), None, "more than words");
    alike.note(ONE, Frame::Words, &said[..1]);
    alike.note(r#"{"type":"ping"}"#, Frame::Other, &[]);
    assert_eq!(read(&mut alike, ONE), None, "something came between");
}

#[test]
fn who_numbers_frames_is_not_looked_at_for_ever() {
    let frame = |number: u32| format!(r#"{{"number":{number},"text":"words {number}"}}"#);
    let mut alike = Alike::default();
    let note = |alike: &mut Alike, number: u32| {
        alike.note(&frame(number), Frame::Words, &[StreamEvent::Text(format!("words {number}"))]);
    };
    for number in 0..PATIENCE {
        note(&mut alike, number);
        assert!(read(&mut alike, &frame(number)).is_some());
        alike.in_vain = number + 1;
        assert_eq!(read(&mut alike, &frame(number + 1)), None);
    }
    note(&mut alike, PATIENCE);
    assert_eq!(read(&mut alike, &frame(PATIENCE)), None);
}
