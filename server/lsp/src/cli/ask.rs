//! What an agent asks while a command runs: on a terminal the user is asked there; without one the answer is no.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal as _};

use kkcode_agent::runtime::Handle;
use kkcode_core::id::PromptId;
use kkcode_core::permission::characters::shown;
use kkcode_core::prompt::{Answer, Prompt, PromptKind, Question, Resolution};
use kkcode_protocol::permission::{PermissionAnswer, PermissionOption};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::output;
use crate::to_proto;

/// What the agent is told where nobody can be asked.
const NOBODY: &str =
    "nobody is there to be asked: this runs without a terminal, where what would be asked is denied";

/// Asks one thing after the other.
#[derive(Debug)]
pub(crate) struct Asker {
    handle: Handle,
    /// What waits; the first is on the terminal.
    open: VecDeque<Form>,
    /// What is typed, line by line; none before something was asked. It ends with the terminal.
    lines: Option<UnboundedReceiver<String>>,
}

/// A prompt that waits for its answer.
#[derive(Debug)]
struct Form {
    prompt: Prompt,
    /// What was answered to the first of several questions.
    answers: BTreeMap<String, Vec<String>>,
    /// Which of them is next.
    at: usize,
}

impl Asker {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, open: VecDeque::new(), lines: None }
    }

    /// Has a prompt answered: when those before it are, by what is typed; without a terminal at once.
    pub(crate) fn ask(&mut self, prompt: Prompt) {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            output::note(&format!("denied, for {NOBODY}: {}", prompt.title));
            let resolution = unasked(&prompt);
            self.answer(prompt.id, resolution);
            return;
        }
        if self.open.iter().any(|form| form.prompt.id == prompt.id) {
            return;
        }
        self.open.push_back(Form { prompt, answers: BTreeMap::new(), at: 0 });
        if self.open.len() == 1 {
            let lines = self.lines.get_or_insert_with(lines);
            // What was typed before the question is no answer to it.
            while lines.try_recv().is_ok() {}
            self.show();
        }
    }

    /// Takes a prompt back that has its resolution.
    pub(crate) fn resolved(&mut self, prompt: &PromptId, resolution: &Resolution) {
        let Some(at) = self.open.iter().position(|form| form.prompt.id == *prompt) else { return };
        drop(self.open.remove(at));
        if at == 0 {
            output::note(&format!("that is answered ({})", resolution.by));
            self.show();
        }
    }

    /// Waits for an answer to what is on the terminal; none when that was closed. For ever as long as nothing is asked.
    pub(crate) async fn line(&mut self) -> Option<String> {
        match &mut self.lines {
            Some(lines) if !self.open.is_empty() => lines.recv().await,
            _ => std::future::pending().await,
        }
    }

    /// Takes in what was typed.
    pub(crate) fn take(&mut self, said: Option<&str>) {
        let Some(form) = self.open.front_mut() else { return };
        let resolution = match said {
            None => Some(closed(&form.prompt)),
            Some(said) => form.take(said),
        };
        if let Some(resolution) = resolution
            && let Some(form) = self.open.pop_front()
        {
            self.answer(form.prompt.id, resolution);
        }
        self.show();
    }

    fn show(&self) {
        if let Some(form) = self.open.front() {
            // A diff may hold what moves the cursor or cannot be seen.
            output::note(&shown(&form.text()));
        }
    }

    fn answer(&self, prompt: PromptId, resolution: Resolution) {
        let answered = self.handle.answer(prompt, resolution);
        tokio::spawn(async move {
            match answered.await {
                Ok(true) => {}
                Ok(false) => output::note("that was answered elsewhere, or the turn has ended"),
                Err(refusal) => output::note(&refusal.to_string()),
            }
        });
    }
}

impl Form {
    /// Takes in a line; returns the answer when it is complete.
    fn take(&mut self, said: &str) -> Option<Resolution> {
        if let PromptKind::Questions { questions } = &self.prompt.kind {
            if let Some(question) = questions.get(self.at) {
                let values = values(question, said);
                if !values.is_empty() {
                    self.answers.insert(question.id.clone(), values);
                }
            }
            self.at += 1;
            let is_last = self.at >= questions.len();
            return is_last.then(|| resolution(Answer::Questions(std::mem::take(&mut self.answers)), None));
        }
        let permission = to_proto::permission_prompt(&self.prompt)?;
        // Nothing is no answer.
        (!said.is_empty()).then(|| chosen(&permission.options, said))
    }

    fn text(&self) -> String {
        if let PromptKind::Questions { questions } = &self.prompt.kind {
            return questions.get(self.at).map(asked).unwrap_or_default();
        }
        let Some(permission) = to_proto::permission_prompt(&self.prompt) else { return String::new() };
        let options = numbered(permission.options.iter().map(|option| option.title.as_str()));
        let diff = permission.diff.map(|diff| format!("\n{}", diff.trim_end())).unwrap_or_default();
        format!(
            "{}\n{}{diff}{options}\nnumber, or what the agent is to do instead:",
            permission.title, permission.detail
        )
    }
}

fn closed(prompt: &Prompt) -> Resolution {
    match prompt.kind {
        PromptKind::Permission(_) => resolution(Answer::Deny, Some("the terminal was closed".to_owned())),
        PromptKind::Questions { .. } => resolution(Answer::Questions(BTreeMap::new()), None),
    }
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

/// Reads an answer: the number of an option; other words are a no that the agent is told.
fn chosen(options: &[PermissionOption], said: &str) -> Resolution {
    let option = said.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
    match option.map(|option| option.answer) {
        Some(PermissionAnswer::AllowOnce) => resolution(Answer::AllowOnce, None),
        Some(PermissionAnswer::ApplyFirst) => resolution(Answer::ApplyFirst, None),
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

/// Reads lines in a thread that nothing waits for: it may sit at the terminal when all else has ended. The channel has no
/// bound of its own: somebody types what is in it.
fn lines() -> UnboundedReceiver<String> {
    let (send, lines) = unbounded_channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while io::stdin().read_line(&mut line).is_ok_and(|length| length > 0) {
            if send.send(line.trim().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
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
