//! What may be done in one place only.

use super::tokens::{Mention, Token, mentions, shipped};
use super::{File, assert_found, assert_none, files};

/// Something that shipped code does in few places.
struct Confined {
    /// Paths that do it; `Command::new` is also found as `std::process::Command::new`.
    paths: &'static [&'static str],
    /// The files and folders that may.
    places: &'static [&'static str],
    because: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined {
        paths: &["println", "print"],
        places: &["server/lsp/src/cli.rs", "server/lsp/src/cli/"],
        because: "invariant 8: stdout is the transport; only a command line in server/lsp/src/cli may print",
    },
    Confined {
        paths: &["io::stdout", "io::stdin", "stdout", "stdin"],
        places: &[
            "server/lsp/src/server.rs",
            "server/lsp/src/cli/output.rs",
            // The user on a terminal.
            "server/lsp/src/cli/ask.rs",
            // A key is read there, where there is no server.
            "server/lsp/src/cli/key.rs",
            // The other ends of a server's.
            "server/lsp/src/cli/demo/server.rs",
            "server/lsp/src/cli/doctor.rs",
            // A process that never serves: its input is a socket, a command's is nothing.
            "server/agent/src/sandbox/helper.rs",
            "server/agent/src/sandbox/supervise.rs",
            "server/agent/src/worktree/git.rs",
            "server/agent/src/process/run.rs",
            // A worker is given what it must not find in a file.
            "server/agent/src/worker.rs",
            "server/agent/src/task/launch.rs",
        ],
        because: "invariant 8: stdout is the transport, and one place owns it; another where there is no server",
    },
    Confined {
        paths: &["process::exit", "process::abort"],
        places: &["server/lsp/src/lifecycle.rs"],
        because: "the process ends in one place",
    },
    Confined {
        paths: &["Command::new"],
        places: &[
            "server/agent/src/process/run.rs",
            "server/agent/src/task/launch.rs",
            "server/agent/src/sandbox/helper.rs",
            "server/agent/src/sandbox/supervise.rs",
            "server/agent/src/worktree/git.rs",
            "server/agent/src/sandbox/bubblewrap.rs",
            "server/lsp/src/cli/demo/server.rs",
            "server/lsp/src/cli/doctor.rs",
        ],
        because: "invariant 4: one road to a process, server/agent/src/process, which sets folder, environment and group, \
                  and the helper that it starts; the demo and the launch of a task start this very program, doctor asks programs for their version, \
                  and git makes worktrees",
    },
    Confined {
        paths: &[
            "File::create",
            "File::create_new",
            "OpenOptions",
            "fs::copy",
            "fs::create_dir",
            "fs::create_dir_all",
            "fs::hard_link",
            "fs::remove_dir",
            "fs::remove_dir_all",
            "fs::remove_file",
            "fs::rename",
            "fs::set_permissions",
            "fs::write",
        ],
        places: &[
            "server/agent/src/reply.rs",
            "server/agent/src/doorbell.rs",
            "server/agent/src/own.rs",
            "server/agent/src/place.rs",
            "server/agent/src/trash.rs",
            "server/agent/src/write.rs",
            // What `write.rs` writes through: the handle of a folder, and where removed things go.
            "server/agent/src/place.rs",
            "server/agent/src/trash.rs",
            // What tasks said, in kkcode's home.
            "server/agent/src/task/output.rs",
            // What commands wrote and said, in kkcode's home; what they changed in the workspace is put back.
            "server/agent/src/command/",
            "server/agent/src/process/output.rs",
            "server/agent/src/sandbox/",
            // The copy of the user's files that a task works in, and what is kept about it.
            "server/agent/src/worktree.rs",
            "server/agent/src/worktree/",
            "server/provider/src/record.rs",
            "server/store/src/open.rs",
            "server/store/src/recover.rs",
            // The head of the audit, beside the database.
            "server/store/src/audit.rs",
            // A sample project in a folder of its own.
            "server/lsp/src/cli/demo.rs",
            "server/lsp/src/cli/demo/editor.rs",
            "protocol/src/generate.rs",
        ],
        because: "invariants 3 and 4: one road to the user's files, with what is removed; the store, the doorbell, the recorder and replies have files of their own",
    },
    Confined {
        paths: &["env::var", "env::var_os", "env::vars", "env::vars_os", "env::current_dir", "env::home_dir"],
        places: &["server/lsp/src/", "server/agent/src/environment.rs"],
        because: "the environment is read by the binary and handed on, so that tests can replace it; child processes get it \
                  without keys",
    },
    Confined {
        paths: &["tokio::sync::Mutex", "tokio::sync::RwLock"],
        places: &[],
        because: "state has one owner task: talk to it with messages",
    },
    Confined {
        paths: &["kkcode_protocol"],
        places: &["protocol/src/", "server/lsp/src/"],
        because: "invariant 2: wire types appear in lsp only",
    },
];

/// Where JSON-RPC error codes are written as numbers.
const CODES: Confined = Confined {
    paths: &[],
    places: &["server/lsp/src/error.rs", "server/lsp/src/connection/"],
    because: "turning an error into a JSON-RPC code happens in one file, and in the connection for what never reaches a handler",
};

impl Confined {
    fn allows(&self, file: &File) -> bool {
        self.places
            .iter()
            .any(|place| file.path == *place || place.ends_with('/') && file.path.starts_with(place))
    }

    fn is_done_by(&self, mention: &Mention) -> bool {
        self.paths.iter().any(|path| {
            let whole = |rest: &str| rest.is_empty() || rest.ends_with("::");
            let inside = mention.is_within(path);
            inside || mention.path.strip_suffix(path).is_some_and(whole)
        })
    }
}

fn misplaced(file: &File) -> Vec<String> {
    match (mentions(file), shipped(file)) {
        (Ok(mentions), Ok(tokens)) => {
            let done = CONFINED.iter().filter(|confined| !confined.allows(file)).flat_map(|confined| {
                let doings = mentions.iter().filter(|mention| confined.is_done_by(mention));
                doings.map(|mention| {
                    format!("{}:{}: {} ({})", file.path, mention.line, mention.path, confined.because)
                })
            });
            let codes = error_codes(&tokens).filter(|_| !CODES.allows(file));
            let codes = codes.map(|(line, code)| format!("{}:{line}: {code} ({})", file.path, CODES.because));
            done.chain(codes).collect()
        }
        (Err(error), _) | (_, Err(error)) => vec![error],
    }
}

/// Returns the numbers of the range that JSON-RPC and LSP keep for errors: -32000 to -32999.
fn error_codes(tokens: &[Token]) -> impl Iterator<Item = (usize, String)> {
    tokens.windows(2).filter_map(|window| match window {
        [minus, number] if minus.text == "-" => {
            let digits: String = number.text.chars().filter(char::is_ascii_digit).take(5).collect();
            (digits.len() == 5 && digits.starts_with("32")).then(|| (number.line, format!("-{digits}")))
        }
        _ => None,
    })
}

#[test]
fn what_belongs_in_one_place_is_done_there() {
    let shipped: Vec<_> = files().iter().filter(|file| file.is_shipped_rust()).collect();
    assert!(shipped.len() > 20, "the server was found");
    let findings: Vec<_> = shipped.into_iter().flat_map(misplaced).collect();
    assert_none(&findings);
}

#[test]
fn every_place_exists() {
    let places = CONFINED.iter().chain([&CODES]).flat_map(|confined| confined.places);
    let gone = places.filter(|place| !files().iter().any(|file| file.path.starts_with(**place)));
    let findings: Vec<_> =
        gone.map(|place| format!("{place} is named in tests/it/tidy/places.rs and is gone")).collect();
    assert_none(&findings);
}

#[test]
fn what_is_done_elsewhere_is_found() {
    for (path, text, what) in [
        ("server/lsp/src/server.rs", "fn f() { println!(\"x\"); }", "println"),
        ("server/agent/src/turn.rs", "fn f() { let out = std::io::stdout(); }", "std::io::stdout"),
        ("server/agent/src/turn.rs", "use tokio::io::{stdout, AsyncWrite};", "tokio::io::stdout"),
        ("server/lsp/src/main.rs", "fn f() { std::process::exit(1) }", "std::process::exit"),
        ("server/lsp/src/main.rs", "fn f() { tokio::process::Command::new(\"sh\"); }", "Command::new"),
        ("server/agent/src/tool/edit.rs", "use std::fs; fn f() { fs::write(a, b); }", "fs::write"),
        ("server/store/src/lib.rs", "fn f() { std::env::var(\"HOME\"); }", "std::env::var"),
        ("server/agent/src/runtime.rs", "use tokio::sync::{mpsc, Mutex};", "tokio::sync::Mutex"),
        ("server/agent/src/runtime.rs", "use kkcode_protocol::turn;", "kkcode_protocol::turn"),
        ("server/lsp/src/commands.rs", "const CODE: i64 = -32_803;", "-32803"),
        ("server/lsp/src/commands.rs", "fn f() { fail(-32603i64) }", "-32603"),
    ] {
        assert_found(&misplaced(&File::sample(path, text)), what);
    }
    for (path, text) in [
        ("server/lsp/src/server.rs", "fn f() { std::io::stdout(); }"),
        ("server/lsp/src/error.rs", "const CODE: i64 = -32803;"),
        ("server/lsp/src/lifecycle.rs", "fn f() { std::process::exit(1) }"),
        ("server/agent/src/turn.rs", "// println!\nfn f() -> &str { \"println! -32803\" }"),
        ("server/agent/src/turn.rs", "#[cfg(test)]\nmod tests { fn f() { println!(\"x\"); } }"),
    ] {
        assert_none(&misplaced(&File::sample(path, text)));
    }
}
