//! What flows from one command to another: code that nobody has seen into a shell, secrets to the network.

use super::Judge;
use super::code;
use super::scan::{Part, Scan, UNKNOWN, program_name};

/// What is wrong with how the commands of a line belong together, if anything is.
pub(super) fn worst(
    judge: &Judge<'_>,
    scan: &Scan,
    holds_secret: &dyn Fn(usize, &Part) -> bool,
) -> Option<&'static str> {
    let flow = Flow { judge, scan };
    if flow.runs_unseen_code() || flow.runs_what_it_fetched() {
        return Some("it runs code that nobody has seen");
    }
    if flow.hands_out_a_shell() {
        return Some("it hands a shell to the network");
    }
    let sends = |part: &Part| flow.is_interpreter(part) && code::sends_the_environment(part);
    if flow.sends_secrets(holds_secret) || scan.parts.iter().any(sends) {
        return Some("it sends secrets to the network");
    }
    flow.fills_the_disk().then_some("it would fill the disk")
}

struct Flow<'a> {
    judge: &'a Judge<'a>,
    scan: &'a Scan,
}

/// Tells whether what one part puts out goes into another: along a pipeline, or as a substitution.
fn flows(from: &Part, to: &Part) -> bool {
    along_a_pipe(from, to) || feeds(from, to)
}

pub(super) fn along_a_pipe(from: &Part, to: &Part) -> bool {
    from.pipes
        .iter()
        .any(|(pipe, stage)| to.pipes.iter().any(|(other, later)| pipe == other && stage < later))
}

fn feeds(from: &Part, to: &Part) -> bool {
    from.feeds.contains(&to.base)
}

/// Tells whether a text names a device that the shell turns into a connection.
fn is_connection(text: &str) -> bool {
    text.contains("/dev/tcp/") || text.contains("/dev/udp/")
}

impl Flow<'_> {
    fn is_shell(&self, part: &Part) -> bool {
        self.judge.programs.shells.has(&part.program())
    }

    fn is_interpreter(&self, part: &Part) -> bool {
        self.judge.programs.interpreters.fits(&part.program())
    }

    fn is_evaluator(&self, part: &Part) -> bool {
        self.judge.programs.evaluators.has(&part.program())
    }

    /// Tells whether a part brings bytes that the line does not show.
    fn is_source(&self, part: &Part) -> bool {
        let program = part.program();
        let programs = self.judge.programs;
        if programs.fetchers.has(&program) {
            return true;
        }
        let has = |wanted: &[&str]| {
            part.arguments().any(|word| wanted.iter().any(|option| word.starts_with(option)))
        };
        match &*program {
            "base64" | "base32" | "basenc" => {
                has(&["-d", "-D", "--d"])
                    || part.arguments().any(|word| word.starts_with('-') && word.contains(['d', 'D']))
            }
            "xxd" => part.arguments().any(|word| word.starts_with('-') && word.contains('r')),
            "tr" => true,
            "echo" | "printf" => part
                .arguments()
                .any(|word| word.contains("\\x") || word.contains("\\0") || word.contains("\\1")),
            _ => programs.decoders.has(&program),
        }
    }

    /// Tells whether an interpreter takes its program from standard input.
    fn reads_program(&self, part: &Part) -> bool {
        if self.is_shell(part) {
            return true;
        }
        let programs = self.judge.programs;
        self.is_interpreter(part)
            && !part.arguments().any(|word| {
                programs.code_options.has(word) || word == "-m" || word.len() > 1 && !word.starts_with('-')
            })
    }

    fn runs_unseen_code(&self) -> bool {
        let sources: Vec<&Part> = self.scan.parts.iter().filter(|part| self.is_source(part)).collect();
        if sources.is_empty() {
            return false;
        }
        self.scan.parts.iter().any(|runner| {
            let nameless = runner.words.first().is_some_and(|word| word.text.starts_with(UNKNOWN));
            let executes =
                self.is_shell(runner) || self.is_interpreter(runner) || self.is_evaluator(runner) || nameless;
            executes
                && sources.iter().any(|source| {
                    let piped = along_a_pipe(source, runner)
                        && (self.reads_program(runner) || self.is_evaluator(runner));
                    piped || feeds(source, runner)
                })
        })
    }

    /// Tells whether a line fetches a file and then runs it.
    fn runs_what_it_fetched(&self) -> bool {
        let fetchers = &self.judge.programs.fetchers;
        let sources: Vec<&Part> =
            self.scan.parts.iter().filter(|part| fetchers.has(&part.program())).collect();
        if sources.is_empty() {
            return false;
        }
        let mut fetched: Vec<String> = Vec::new();
        for part in &self.scan.parts {
            let program = part.program();
            if !fetched.is_empty() {
                let names_one = |text: &str| fetched.contains(&program_name(text));
                let runs =
                    part.words.first().is_some_and(|word| word.text.contains('/') && names_one(&word.text));
                let given = part.arguments().any(names_one);
                let loads = self.is_shell(part)
                    || self.is_interpreter(part)
                    || self.is_evaluator(part)
                    || program == "chmod";
                let reads = self.is_shell(part) && part.inputs.iter().any(|input| names_one(&input.text));
                if runs || given && loads || reads {
                    return true;
                }
            }
            let network = fetchers.has(&program) && program != "gh" && program != "rsync";
            let piped = sources.iter().any(|source| flows(source, part));
            if network || piped {
                let written = super::writes::written(self.judge.programs, part);
                let named = written.into_iter().map(|word| word.text);
                let urls = part.arguments().filter(|word| {
                    network && (word.contains("://") || word.contains('/') || word.contains(':'))
                });
                let names = named
                    .chain(urls.map(str::to_owned))
                    .map(|text| program_name(text.split(['?', '#']).next().unwrap_or(&text)));
                let names: Vec<String> =
                    names.filter(|name| !name.is_empty() && name != "null").take(64).collect();
                fetched.extend(names);
            }
        }
        false
    }

    fn hands_out_a_shell(&self) -> bool {
        let parts = &self.scan.parts;
        let opens = parts.iter().any(|part| {
            part.words.iter().chain(&part.inputs).chain(&part.outputs).any(|word| is_connection(&word.text))
                || part.document.as_deref().is_some_and(is_connection)
        });
        let executes = parts.iter().any(|part| {
            self.is_shell(part)
                || part.program() == "exec"
                || part.words.first().is_some_and(|word| word.unknown)
        });
        if opens && executes {
            return true;
        }
        let raw = |part: &Part| {
            matches!(
                &*part.program(),
                "nc" | "ncat" | "netcat" | "nc.traditional" | "nc.openbsd" | "socat" | "telnet" | "openssl"
            )
        };
        let networks: Vec<&Part> = parts.iter().filter(|part| raw(part)).collect();
        parts.iter().filter(|part| self.is_shell(part)).any(|shell| {
            networks.iter().any(|network| along_a_pipe(shell, network) || along_a_pipe(network, shell))
        }) || parts.iter().any(|part| self.is_interpreter(part) && code::connects_a_shell(part))
    }

    fn sends_secrets(&self, holds_secret: &dyn Fn(usize, &Part) -> bool) -> bool {
        let programs = self.judge.programs;
        let parts = &self.scan.parts;
        let connects = |part: &Part| part.outputs.iter().any(|output| is_connection(&output.text));
        let sends = |part: &Part| programs.senders.has(&part.program()) || connects(part);
        parts.iter().enumerate().filter(|(_, part)| sends(part)).any(|(at, sender)| {
            let named = sender.uses.iter().any(|name| programs.secret_variables.fits(name));
            let own = parts
                .iter()
                .enumerate()
                .filter(|(_, part)| part.base == sender.base)
                .any(|(at, part)| holds_secret(at, part));
            let comes = parts.iter().enumerate().any(|(other, part)| {
                let dumps = programs.dumpers.has(&part.program())
                    || matches!(&*part.program(), "set" | "export" | "declare" | "typeset" | "history")
                        && part.words.len() < 3
                    || part.uses.iter().any(|name| programs.secret_variables.fits(name));
                other != at
                    && part.base != sender.base
                    && flows(part, sender)
                    && (dumps || holds_secret(other, part))
            });
            named || own || comes
        })
    }

    /// Tells whether something without end goes into a file.
    fn fills_the_disk(&self) -> bool {
        let parts = &self.scan.parts;
        let endless = |part: &Part| {
            let device = |text: &str| {
                matches!(text.trim_start_matches("if="), "/dev/zero" | "/dev/urandom" | "/dev/random")
            };
            let program = part.program();
            let bounded = matches!(&*program, "head" | "od" | "xxd" | "hexdump" | "shred")
                || program == "dd" && part.arguments().any(|word| word.starts_with("count="));
            let reads = part.words.iter().skip(1).chain(&part.inputs).any(|word| device(&word.text));
            !bounded && (reads || program == "yes")
        };
        let keeps = |part: &Part| {
            let kept = super::writes::written(self.judge.programs, part);
            kept.iter().any(|word| !word.text.starts_with("/dev/"))
        };
        parts.iter().filter(|part| endless(part)).any(|source| {
            let bounded = parts
                .iter()
                .any(|part| matches!(&*part.program(), "head" | "dd") && along_a_pipe(source, part));
            keeps(source) || !bounded && parts.iter().any(|part| along_a_pipe(source, part) && keeps(part))
        })
    }
}
