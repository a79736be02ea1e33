//! PowerShell and cmd: no line runs unasked, and what is catastrophic never does. A loose look is enough for that.

use super::Class;
use super::catastrophe::WINDOWS;
use super::scan::{Part, Word};

/// Judges a line of PowerShell or cmd.
pub(super) fn judge(line: &str) -> (Class, String) {
    let Ok(table) = WINDOWS.as_ref() else {
        return (Class::Protected, "the built-in tables cannot be read".to_owned());
    };
    // A line is looked at whole, too: what one segment fetches, another runs.
    let segments = line.split([';', '|', '&', '\n', '\r']).chain([line]);
    for segment in segments {
        let words: Vec<Word> = segment
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '|' | '{' | '}'))
            .filter(|word| !word.is_empty())
            .map(|word| Word {
                text: word.trim_matches(['(', ')', ',', '^', '`']).replace(['^', '`'], "").to_lowercase(),
                ..Word::default()
            })
            .collect();
        // The command may stand behind `cmd /c`, `start`, `&` or a redirection.
        for start in 0..words.len().min(64) {
            let words: Vec<Word> = words.iter().skip(start).cloned().collect();
            let part = Part { words, ..Part::default() };
            if let Some(row) = table.find(&part) {
                return (Class::Never, row.why.clone());
            }
        }
    }
    (Class::Ordinary, "nothing runs unasked in this shell".to_owned())
}
