use serde_json::json;

use super::*;

fn call(id: &str, input: Value) -> Message {
    let call = ToolCall { id: id.into(), name: "read".into(), input };
    Message { role: Role::Assistant, content: vec![Content::ToolCall(call)] }
}

fn result(id: &str, text: String) -> Message {
    Message { role: Role::User, content: vec![Content::ToolResult { id: id.into(), text, is_error: false }] }
}

/// A prompt, and so many files that were read.
fn conversation(prompt: &str, reads: usize, length: usize) -> Vec<Message> {
    let mut messages = vec![Message::user(prompt)];
    for read in 0..reads {
        messages.push(call(&format!("c{read}"), json!({"path": format!("file{read}")})));
        messages.push(result(&format!("c{read}"), format!("{read} ").repeat(length / 2)));
    }
    messages
}

/// What every provider insists on.
fn assert_whole(messages: &[Message]) {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        for content in &message.content {
            match content {
                Content::ToolCall(call) => open.push(&call.id),
                Content::ToolResult { id, .. } => {
                    let at = open.iter().position(|call| call == id);
                    open.remove(at.unwrap_or_else(|| panic!("the result {id} has no call")));
                }
                _ => {}
            }
        }
    }
    assert_eq!(open, [] as [&str; 0], "calls without results");
    assert_eq!(messages[0].role, Role::User, "the user speaks first");
}

#[test]
fn a_conversation_that_fits_is_left_alone() {
    let messages = conversation("do it", 5, 100);
    assert_eq!(Window::of(100_000, "").fit(messages.clone()), messages);
}

#[test]
fn old_results_become_previews_first() {
    let messages = conversation("do it", 20, 8_000);
    let window = Window::of(40_000, "");
    let fitted = window.fit(messages.clone());
    assert_eq!(fitted.len(), messages.len());
    assert_whole(&fitted);
    assert_eq!(
        fitted[messages.len() - 6..],
        messages[messages.len() - 6..],
        "the last ones are as they were"
    );
    assert!(window.size(&fitted) < 40_000 * 60 / 100);
    let Content::ToolResult { text, .. } = &fitted[2].content[0] else { panic!() };
    assert!(text.contains("[shortened; call the tool again") && text.len() < 300, "{text}");
}

#[test]
fn the_beginning_becomes_a_summary_that_counts_its_answers() {
    let mut messages = conversation("make the parser faster", 200, 2_000);
    messages.extend(conversation("and now document it", 200, 2_000));
    let total = answers(&messages);
    let window = Window::of(20_000, "");
    let fitted = window.fit(messages.clone());
    assert_whole(&fitted);
    assert!(window.size(&fitted) <= 20_000 * 85 / 100, "{}", window.size(&fitted));
    let Content::Text { text } = &fitted[0].content[0] else { panic!() };
    for part in ["- make the parser faster", "- and now document it", "read file"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(answers(&fitted), total, "a script is played on at its place");
    let again = Window::of(8_000, "").fit(fitted);
    assert_whole(&again);
    let Content::Text { text } = &again[0].content[0] else { panic!() };
    assert!(text.contains("make the parser faster"), "a summary of a summary: {text}");
    assert_eq!(answers(&again), total);
}

#[test]
fn one_huge_result_is_cut_in_the_middle() {
    let messages = conversation("p", 1, 9_000_000);
    let fitted = Window::of(128_000, "").fit(messages);
    let Content::ToolResult { text, .. } = &fitted[2].content[0] else { panic!() };
    assert!(text.contains("bytes are left out here") && text.len() < 40_000, "{}", text.len());
}

#[test]
fn a_model_that_says_no_gets_less_until_there_is_no_less() {
    let mut messages = conversation("p", 60, 3_000);
    let mut window = Window::of(128_000, "");
    let mut rounds = 0;
    while window.shrink(&messages) {
        let before = window.size(&messages);
        messages = window.fit(messages);
        assert!(window.size(&messages) < before, "round {rounds}");
        assert_whole(&messages);
        rounds += 1;
        assert!(rounds < 60);
    }
    assert!(rounds >= 2, "{rounds}");
}

#[test]
fn tokens_are_estimated_by_script() {
    assert_eq!((tokens(""), tokens("abcdefgh"), tokens("日本語")), (0, 2, 2));
}
