//! What an agent asks while a command runs: on a terminal the user is asked there; without one the answer is no.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use kkcode_agent::runtime::Handle;
use kkcode_core::prompt::{Answer, Prompt, PromptKind, Question, Resolution};
use kkcode_protocol::permission::{PermissionAnswer, PermissionOption};

use super::output;
use crate::to_proto;

/// What the agent is told where nobody can be asked.
const NOBODY: &str =
    "nobody is there to be asked: this runs without a terminal, where what would be asked is denied";

/// Has a prompt answered, in a task of its own: the user may think about it.
pub(crate) fn user(handle: &Handle, prompt: Prompt) {
    let handle = handle.clone();
    tokio::spawn(async move {
        let id = prompt.id.clone();
        let resolution = if io::stdin().is_terminal() && io::stderr().is_terminal() {
            match tokio::task::spawn_blocking(move || on_terminal(&prompt)).await {
                Ok(Some(resolution)) => resolution,
                Ok(None) => no(&"the terminal was closed"),
                Err(error) => no(&error),
            }
        } else {
            output::note(&format!("denied, for {NOBODY}: {}", prompt.title));
            unasked(&prompt)
        };
        match handle.answer(id, resolution).await {
            Ok(true) => {}
            Ok(false) => output::note("that was answered elsewhere, or the turn has ended"),
            Err(refusal) => output::note(&refusal.to_string()),
        }
    });
}

fn no(reason: &dyn std::fmt::Display) -> Resolution {
    resolution(Answer::Deny, Some(reason.to_string()))
}

fn resolution(answer: Answer, feedback: Option<String>) -> Resolution {
    Resolution { answer, by: "cli".to_owned(), feedback }
}

fn unasked(prompt: &Prompt) -> Resolution {
    match prompt.kind {
        PromptKind::Permission(_) => resolution(Answer::Deny, Some(NOBODY.to_owned())),
        PromptKind::Questions { .. } => resolution(Answer::Questions(BTreeMap::new()), None),
    }
}

/// Asks on the terminal; none when it is closed. Blocks.
fn on_terminal(prompt: &Prompt) -> Option<Resolution> {
    if let PromptKind::Questions { questions } = &prompt.kind {
        let mut answers = BTreeMap::new();
        for question in questions {
            output::note(&asked(question));
            let values = values(question, &line()?);
            if !values.is_empty() {
                answers.insert(question.id.clone(), values);
            }
        }
        return Some(resolution(Answer::Questions(answers), None));
    }
    let permission = to_proto::permission_prompt(prompt)?;
    let options = numbered(permission.options.iter().map(|option| option.title.as_str()));
    let text = format!(
        "{}\n{}{options}\nnumber, or what the agent is to do instead:",
        permission.title, permission.detail
    );
    loop {
        output::note(&text);
        let said = line()?;
        if !said.is_empty() {
            return Some(chosen(&permission.options, &said));
        }
    }
}

/// Reads an answer: the number of an option; other words are a no that the agent is told.
fn chosen(options: &[PermissionOption], said: &str) -> Resolution {
    let option = said.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
    match option.map(|option| option.answer) {
        Some(PermissionAnswer::AllowOnce) => resolution(Answer::AllowOnce, None),
        Some(PermissionAnswer::AllowSession) => resolution(Answer::AllowSession, None),
        Some(PermissionAnswer::AllowAlways) => resolution(Answer::AllowAlways, None),
        Some(PermissionAnswer::Deny) => resolution(Answer::Deny, None),
        None => resolution(Answer::Deny, Some(said.to_owned())),
    }
}

fn asked(question: &Question) -> String {
    let description = question.description.as_ref().map(|text| format!("\n{text}")).unwrap_or_default();
    let options = numbered(question.options.iter().map(|option| option.label.as_str()));
    let wanted = match (question.options.is_empty(), question.multiple) {
        (true, _) => "your answer, or nothing:",
        (false, true) => "numbers, or nothing:",
        (false, false) => "number, or nothing:",
    };
    format!("{}{description}{options}\n{wanted}", question.text)
}

/// Returns a line for each title, with its number.
fn numbered<'a>(titles: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<String> =
        (1..).zip(titles).map(|(number, title)| format!("\n  {number}) {title}")).collect();
    lines.concat()
}

/// Reads the answer to one question.
fn values(question: &Question, said: &str) -> Vec<String> {
    let option = |word: &str| {
        let number = word.parse::<usize>().ok()?;
        Some(question.options.get(number.checked_sub(1)?)?.value.clone())
    };
    let most = if question.multiple { usize::MAX } else { 1 };
    let numbers = said.split([',', ' ']).filter(|word| !word.is_empty());
    let chosen: Option<Vec<String>> = numbers.take(most).map(option).collect();
    match chosen.filter(|chosen| !chosen.is_empty()) {
        Some(chosen) => chosen,
        None if !said.is_empty() && (question.allow_text || question.options.is_empty()) => {
            vec![said.to_owned()]
        }
        None => Vec::new(),
    }
}

/// Reads a line of the terminal; none at its end.
fn line() -> Option<String> {
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_chooses_and_other_words_are_told_to_the_agent() {
        let option = |answer| PermissionOption { answer, title: String::new() };
        let options = [option(PermissionAnswer::AllowOnce), option(PermissionAnswer::Deny)];
        assert_eq!(chosen(&options, "1").answer, Answer::AllowOnce);
        assert_eq!(chosen(&options, "2"), resolution(Answer::Deny, None));
        for said in ["0", "3", "use make instead"] {
            assert_eq!(chosen(&options, said), resolution(Answer::Deny, Some(said.to_owned())));
        }
    }
}
