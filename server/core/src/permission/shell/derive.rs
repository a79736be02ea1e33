//! What a command makes run besides itself: behind wrappers, in the texts that shells and programs are given.

use tree_sitter::Node;

use super::expand;
use super::flow::along_a_pipe;
use super::scan::{At, DEEPEST, MOST_PARTS, Part, Scanner, Word, program_name};

impl Scanner<'_> {
    /// Adds what a wrapper, a shell or `find` would run.
    pub(super) fn derive(&mut self, index: usize, at: At<'_>) {
        if at.depth > DEEPEST {
            self.scan.broken = true;
            return;
        }
        let Some(part) = self.scan.parts.get(index).cloned() else { return };
        let program = part.program();
        if self.programs.wrappers.has(&program) {
            // Wherever among the words the command begins: options of wrappers are many, and looking twice costs nothing.
            for start in 1..part.words.len().min(24) {
                let words: Vec<Word> = part.words.iter().skip(start).cloned().collect();
                let begins = words.first().map(|word| program_name(&word.text)).unwrap_or_default();
                if begins.is_empty() || begins.starts_with('-') || begins.contains('=') {
                    continue;
                }
                self.add_derived(&Part { words, derived: true, document: None, ..part.clone() }, at);
            }
        }
        if matches!(&*program, "find" | "fd" | "fdfind") {
            let starts = part.words.iter().enumerate().filter(|(_, word)| {
                matches!(
                    word.text.as_str(),
                    "-exec" | "-execdir" | "-ok" | "-okdir" | "-x" | "-X" | "--exec" | "--exec-batch"
                )
            });
            for (start, _) in starts {
                let words = part.words.iter().skip(start + 1);
                let words: Vec<Word> =
                    words.take_while(|word| word.text != ";" && word.text != "+").cloned().collect();
                self.add_derived(&Part { words, derived: true, ..part.clone() }, at);
            }
        }
        self.derive_scripts(&part, &program, at);
    }

    fn add_derived(&mut self, part: &Part, at: At<'_>) {
        if self.scan.parts.len() > MOST_PARTS {
            self.scan.broken = true;
            return;
        }
        let program = part.program();
        self.scan.parts.push(part.clone());
        self.derive_scripts(part, &program, at);
    }

    /// Reads what `echo` and `printf` say to a shell behind them as commands.
    pub(super) fn derive_said(&mut self) {
        let parts = self.scan.parts.clone();
        let says = |part: &&Part| matches!(&*part.program(), "echo" | "printf") && !part.pipes.is_empty();
        for said in parts.iter().filter(says) {
            let heard = |part: &Part| self.programs.shells.has(&part.program()) && along_a_pipe(said, part);
            if parts.iter().any(heard) {
                let words: Vec<&str> = said.arguments().filter(|word| !word.starts_with('-')).collect();
                self.text(&words.join(" ").replace("\\n", "\n"), &[], &[], 1);
            }
        }
    }

    /// Reads the texts that a command would run as commands.
    fn derive_scripts(&mut self, part: &Part, program: &str, at: At<'_>) {
        let is_shell = self.programs.shells.has(program);
        let mut scripts: Vec<String> = Vec::new();
        if is_shell || matches!(program, "su" | "script" | "watch" | "flock" | "nix-shell" | "parallel") {
            let mut takes = matches!(program, "watch" | "parallel");
            for word in part.words.iter().skip(1) {
                if takes || word.text.contains([' ', ';', '|', '\t', '\n']) {
                    scripts.push(word.text.clone());
                }
                takes =
                    word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c');
            }
        }
        if program == "eval" || program == "trap" {
            let words: Vec<&str> = part.arguments().collect();
            scripts.push(words.join(" "));
            scripts.extend(part.arguments().take(1).map(str::to_owned));
        }
        if program == "env" {
            let glued = part
                .arguments()
                .filter_map(|word| word.strip_prefix("-S").or(word.strip_prefix("--split-string=")));
            let glued: Vec<String> = glued.filter(|text| !text.is_empty()).map(str::to_owned).collect();
            scripts.extend(glued);
            scripts.extend(part.arguments().filter(|word| word.contains(' ')).map(str::to_owned));
        }
        if program == "git" {
            let words = part.words.windows(2).filter_map(|pair| match pair {
                [option, script] => {
                    matches!(option.text.as_str(), "--exec" | "-x" | "foreach" | "run" | "--extcmd")
                        .then_some(script)
                }
                _ => None,
            });
            scripts.extend(words.map(|word| word.text.clone()));
            scripts.extend(
                part.arguments()
                    .filter_map(|word| word.split_once("=!"))
                    .map(|(_, script)| script.to_owned()),
            );
            let filters = part
                .arguments()
                .filter(|word| word.starts_with("--exec=") || word.starts_with("--upload-pack="));
            scripts
                .extend(filters.filter_map(|word| word.split_once('=')).map(|(_, script)| script.to_owned()));
        }
        if matches!(
            program,
            "ssh"
                | "tar"
                | "make"
                | "rsync"
                | "man"
                | "split"
                | "alias"
                | "docker"
                | "kubectl"
                | "tmux"
                | "screen"
        ) || self.programs.interpreters.fits(program)
        {
            // Options and program texts that hold a command line, in quotes of their own or as a value.
            for word in part.arguments() {
                scripts.extend(expand::quoted_strings(word));
                scripts.extend(
                    word.split_once('=')
                        .map(|(_, value)| value.trim_start_matches('!').to_owned())
                        .filter(|value| value.contains(' ')),
                );
                if word.contains(' ') && !self.programs.interpreters.fits(program) {
                    scripts.push(word.trim_start_matches('!').to_owned());
                }
            }
            if let Some(document) = &part.document {
                scripts.extend(expand::quoted_strings(document));
            }
        }
        for script in scripts {
            if !script.trim().is_empty() {
                self.text(&script, &part.pipes, &part.feeds, at.depth + 1);
            }
        }
    }
}

/// Tells whether a function calls itself and goes on in the background, or a loop without end starts things there.
pub(super) fn floods(node: Node<'_>, text: &str) -> bool {
    let text = |node: Node<'_>| text.get(node.byte_range()).unwrap_or_default();
    let body: String = text(node).chars().filter(|c| !c.is_whitespace()).collect();
    let background =
        body.replace("&&", "").replace(">&", "").replace("&>", "").replace("<&", "").contains('&');
    if node.kind() == "function_definition" {
        let name = node.child_by_field_name("name").map(text).unwrap_or_default();
        let inside = node.child_by_field_name("body").map(text).unwrap_or_default();
        let words = inside.split(|c: char| c.is_whitespace() || "|&;(){}`$\"".contains(c));
        let calls = words.filter(|word| *word == name).count();
        return !name.is_empty() && (calls > 1 || calls > 0 && background);
    }
    background && ENDLESS.iter().any(|begin| body.starts_with(begin))
}

/// How loops without end begin, blanks left out.
const ENDLESS: &[&str] = &[
    "while:",
    "whiletrue",
    "while1",
    "while[1]",
    "while((1))",
    "untilfalse",
    "while/bin/true",
    "for((;;))",
    "while[[1]]",
];
