//! What the acceptor says the words are is what bash passes on: every accepted line is run by a real bash in a sandbox
//! where each command only says its words.

use std::collections::BTreeSet;

use super::sandbox::{corpora, is_there, run, sandbox};
use super::{generated, judged};
use crate::permission::shell::Class;
use crate::permission::shell::accept::{Simple, accept};

/// Runs each line of its input, which end with a zero byte, twice: with commands that succeed and with commands that fail. No builtin
/// is left but those two that run the line, and no program is found, so that each command comes to the handler; patterns stand for themselves. What it
/// says is `CALL`, the number of words, the words, each with a zero byte behind it; `END` is said behind each line.
const DRIVER: &str = r#"
exec 9>&1 >/dev/null 2>/dev/null
set -f
PATH=/nothing
for name in $INPUTS; do : >/ws/$name; done
builtins=$(compgen -b | /usr/bin/grep -vxE 'eval|enable')
command_not_found_handle() { enable printf; printf '%s\0' CALL "$#" "$@" >&9; (( status == 0 )); }
for name in $SLASHES; do eval "function $name { command_not_found_handle $name \"\$@\"; }"; done
while IFS= read -r -d '' line; do
  for status in 0 1; do ( enable -n $builtins; eval "$line" ) </dev/null; done
  printf 'END\0' >&9
done
"#;

fn words(commands: &[Simple]) -> BTreeSet<Vec<String>> {
    let words = |command: &Simple| command.words.iter().map(|word| word.text.clone()).collect();
    commands.iter().map(words).collect()
}

/// Asks bash for the words of the commands of each line.
fn said(lines: &[(String, Vec<Simple>)]) -> Vec<BTreeSet<Vec<String>>> {
    let mut command = sandbox();
    command.args(["--dir", "/ws", "--chdir", "/ws"]);
    let commands = || lines.iter().flat_map(|(_, commands)| commands);
    let slashes: BTreeSet<&str> = commands()
        .map(|command| command.words[0].text.as_str())
        .filter(|name| {
            name.contains('/') && name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        })
        .collect();
    let slashes: Vec<&str> = slashes.into_iter().collect();
    command.args(["--setenv", "SLASHES", &slashes.join(" ")]);
    // What a line reads is there.
    let inputs: BTreeSet<String> = commands().flat_map(|command| command.inputs.clone()).collect();
    command.args(["--setenv", "INPUTS", &inputs.into_iter().collect::<Vec<_>>().join(" ")]);
    command.args(["/usr/bin/timeout", "240", "/usr/bin/bash", "--noprofile", "--norc", "-c", DRIVER]);
    let input: Vec<u8> = lines.iter().flat_map(|(line, _)| line.bytes().chain([0])).collect();
    let output = String::from_utf8(run(command, &input).stdout).unwrap();
    let mut answers = vec![BTreeSet::new()];
    let mut fields = output.split('\0');
    while let Some(field) = fields.next() {
        match field {
            "CALL" => {
                let count: usize = fields.next().unwrap().parse().unwrap();
                let call = fields.by_ref().take(count).map(str::to_owned).collect();
                answers.last_mut().unwrap().insert(call);
            }
            "END" => answers.push(BTreeSet::new()),
            _ => assert_eq!(field, "", "a line made bash say something else"),
        }
    }
    answers.pop();
    answers
}

/// Tells whether the driver can show what bash makes of it: a name that it keeps for itself is run, and a file that is not below the workspace
/// is not there.
fn can_be_shown(commands: &[Simple]) -> bool {
    commands.iter().all(|command| {
        let name = command.words[0].text.as_str();
        !matches!(name, "eval" | "enable" | "") && command.inputs.iter().all(|input| is_plain_name(input))
            // A name with a slash becomes a function.
            && (!name.contains('/') || name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)))
    })
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn check(lines: impl IntoIterator<Item = String>) -> usize {
    let accepted: Vec<(String, Vec<Simple>)> = lines
        .into_iter()
        .filter_map(|line| accept(&line).ok().map(|commands| (line, commands)))
        .filter(|(_, commands)| can_be_shown(commands))
        .collect();
    let answers = said(&accepted);
    assert_eq!(answers.len(), accepted.len(), "bash did not read all lines");
    for ((line, commands), answer) in accepted.iter().zip(answers) {
        assert_eq!(words(commands), answer, "{line:?}");
    }
    accepted.len()
}

#[test]
fn p02_bash_passes_on_the_words_that_are_judged_for_every_line_of_the_corpora() {
    if is_there(
        "p02_bash_passes_on_the_words_that_are_judged_for_every_line_of_the_corpora",
        &["grep", "timeout"],
    ) {
        let lines = corpora();
        let allowed = lines.iter().filter(|line| judged(line).class == Class::Harmless).count();
        let checked = check(lines);
        assert!(checked >= allowed && allowed > 300, "{checked} checked, {allowed} allowed");
    }
}

#[test]
fn p02_bash_passes_on_the_words_that_are_judged_for_generated_lines() {
    if is_there("p02_bash_passes_on_the_words_that_are_judged_for_generated_lines", &["grep", "timeout"]) {
        let checked = check(generated::quoted(6_000));
        assert!(checked > 500, "{checked} lines were accepted");
    }
}
