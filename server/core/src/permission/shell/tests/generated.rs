//! Lines that a generator makes, the same each time: of pieces that shells read in surprising ways, and of what the tables know.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::judged;
use crate::permission::shell::Class;
use crate::permission::shell::accept::{Simple, Word, accept};
use crate::permission::shell::options::{GIT, Model, READERS};

/// Returns that many lines of a strategy, the same in each run.
fn lines(strategy: &impl Strategy<Value = String>, count: usize) -> impl Iterator<Item = String> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

/// Lines of quotes, operators and characters that mean something to a shell.
pub(super) fn quoted(count: usize) -> impl Iterator<Item = String> {
    let piece = prop_oneof![
        8 => "[a-c\\-./=:,+@%_0-9]{1,4}",
        3 => "'[a ~*$`\\\\\"|;#!{}]{0,4}'",
        3 => "\"[a ~*'|;#{}()<>]{0,4}\"",
        1 => "\"[a\\\\\"$`!'n]{0,4}\"",
        4 => Just(" ".to_owned()),
        1 => "(&&|\\|\\||;|\\||\n| && | ; )",
        1 => "[\\-./*?\\[\\]{}~\\\\'\"$`()<>|&;#!= \t\n^]",
        1 => "(\\./[*?a]{1,3}| -- | [*?]{1,2}| \\{\\} | ! | \\[ | \\] |a~|a\\^|~a|2>&1|>/dev/null|</dev/null|2>/dev/null|A=b )",
    ];
    let line = prop::collection::vec(piece, 1..10).prop_map(|pieces| format!("a{}", pieces.concat()));
    lines(&line, count).collect::<Vec<_>>().into_iter()
}

/// Words that stand in no table, or that lead somewhere.
const STRANGE: &[&str] = &[
    "-o",
    "-oa",
    "--output=out",
    "-exec",
    "-delete",
    "-i",
    "-I",
    "-c",
    "--pre",
    "-e1w",
    "-f",
    "-x",
    "--to-command=x",
    "-fprintf",
    "--compress-program=x",
    "-L",
    "--ext-diff",
    "-O./x",
    "--exec",
    "-",
    "--",
    "+",
    "@x",
    "$(x)",
    "`x`",
    "$x",
    "*",
    "./*",
    "../x",
    "/etc/passwd",
    "~/.ssh/id_rsa",
    ".env",
    ".git/config",
    "{a,b}",
    "'a b'",
    "\"a\"",
    "a=b",
    ">x",
    "<a",
    "2>&1",
    "|",
    "&&",
    "||",
    ";",
    "&",
    "\n",
    "(",
    ")",
    "1w x",
    "1e",
    "rm",
    "sh",
    "sudo",
    "xargs",
    "env",
    "x.sh",
    "a:b",
    "-n",
    "HEAD:../x",
    "!x",
    "\\x",
    "#",
    "-\u{2010}",
    "é",
];

/// Lines of what the tables name, and of what they do not.
fn tabled(count: usize) -> Vec<String> {
    let mut options = Vec::new();
    let mut programs: Vec<String> =
        ["rm", "sh", "tar", "curl", "xargs", "env", "/bin/ls", "./ls", "awk"].map(str::to_owned).into();
    for (prefix, model) in all_models() {
        programs.extend(model.programs.iter().map(|name| format!("{prefix}{name}")));
        options.extend(model.options().map(|option| option.replace('*', "x")));
    }
    let strange = prop::sample::select(STRANGE.to_vec()).prop_map(str::to_owned);
    let words = prop_oneof![
        4 => prop::sample::select(options),
        3 => "(a\\.txt|src|HEAD|x|1|foo|'[a-z ]{1,3}'|-[a-zA-Z0-9]{1,3}|--[a-z-]{1,8})",
        2 => strange,
    ];
    let command = (prop::sample::select(programs), prop::collection::vec(words, 0..4))
        .prop_map(|(program, words)| format!("{program} {}", words.join(" ")));
    let joined = prop::collection::vec(command, 1..3).prop_map(|commands| commands.join(" | "));
    lines(&joined, count).collect()
}

fn all_models() -> impl Iterator<Item = (&'static str, &'static Model)> {
    let (readers, git) = (READERS.as_ref().unwrap(), GIT.as_ref().unwrap());
    readers.iter().map(|model| ("", model)).chain(git.iter().map(|model| ("git ", model)))
}

/// The models of a program, by its name alone.
fn models_of<'a>(prefix: &'static str, name: &'a str) -> impl Iterator<Item = &'static Model> + 'a {
    all_models().filter(move |(of, model)| *of == prefix && model.programs.has(name)).map(|(_, model)| model)
}

/// Returns a word of a command that no table holds. Asks nothing of what the judge did: it only looks words up.
fn stranger(words: &[Word]) -> Option<String> {
    let (program, rest) = words.split_first()?;
    let name = program.text.rsplit('/').next().unwrap_or_default();
    let known: Vec<&Model> = models_of("", name).collect();
    if name == "git" {
        let at = rest.iter().position(|word| models_of("git ", &word.text).next().is_some());
        return match at {
            Some(at) => {
                strange_option(&models_of("git ", &rest[at].text).collect::<Vec<_>>(), &rest[at + 1..])
            }
            None => (rest.len() != 1 || rest[0].text != "--version").then(|| "git".to_owned()),
        };
    }
    if known.is_empty() {
        return Some(name.to_owned());
    }
    if known.iter().any(|model| model.runs_a_command()) {
        let inner = (1..words.len()).filter(|at| !words[*at].text.starts_with('-'));
        return inner.map(|at| stranger(&words[at..])).min_by_key(Option::is_some).flatten();
    }
    strange_option(&known, rest)
}

/// Returns the first word that looks like an option and that none of the models can be made of.
fn strange_option(models: &[&Model], words: &[Word]) -> Option<String> {
    let mut before = "";
    for word in words {
        if word.text == "--" {
            return None;
        }
        let value = models.iter().any(|model| model.takes_value(before));
        let text = word.text.as_str();
        before = text;
        let is_option = text.len() > 1 && text.starts_with('-');
        if is_option && !value && !models.iter().any(|model| model.loose_or_knows(text)) {
            return Some(text.to_owned());
        }
    }
    None
}

#[test]
fn nothing_that_is_allowed_holds_a_word_that_the_tables_do_not_know() {
    let mut allowed = 0;
    for line in tabled(4_000).into_iter().chain(quoted(1_000)) {
        if judged(&line).class != Class::Harmless {
            continue;
        }
        allowed += 1;
        let commands: Vec<Simple> = accept(&line).unwrap();
        for command in &commands {
            assert_eq!(stranger(&command.words), None, "{line:?}");
        }
    }
    assert!(allowed > 200, "{allowed} lines were allowed");
}

#[test]
fn a_word_that_the_tables_do_not_know_is_found() {
    let found = |line: &str| accept(line).unwrap().iter().find_map(|command| stranger(&command.words));
    for line in [
        "rm a",
        "ls --colour=x",
        "sort -ro a",
        "git push",
        "git log --ext-diff",
        "timeout 5 rm a",
        "find . -delete",
    ] {
        assert!(found(line).is_some(), "{line}");
    }
    for line in ["ls -la", "sort -k 2 a", "git log -n -5 --oneline", "timeout -k 1 5 ls -a", "grep -e -x a"] {
        assert_eq!(found(line), None, "{line}");
    }
}
