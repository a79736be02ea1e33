//! `doctor`: what is installed, reachable and missing, and what to do about it.

use std::process::Command;

use kkcode_agent::config::{ConfigSource, KeyringState};
use kkcode_protocol::cli::{DoctorCheck, DoctorReport, DoctorStatus};
use kkcode_protocol::initialize::PROTOCOL_VERSION;

use super::config::Place;
use super::output::{Outcome, Output, Style};

/// Looks at everything and says how it is; exit code 1 if no turn could be started.
pub(crate) fn run(place: &Place, output: Output) -> Outcome {
    let config = place.config()?;
    let report = examine(&config);
    output.print(&report, || {
        let lines: String = report.checks.iter().map(|check| line(check, output)).collect();
        let end = if report.ready {
            "everything is there for a turn"
        } else {
            "no turn can be started before that is mended"
        };
        format!("{lines}{end}\n")
    })?;
    Ok(u8::from(!report.ready))
}

fn examine(config: &ConfigSource) -> DoctorReport {
    let mut checks = vec![
        ok("version", format!("kkcode-lsp {}, protocol {PROTOCOL_VERSION}", env!("CARGO_PKG_VERSION"))),
        ok("home", config.home().display().to_string()),
        configuration(config),
        trust(config),
        model(config),
        keys(config),
        keyring(config),
        ollama(config),
    ];
    checks.extend([git(), sandbox(config), log()]);
    let ready = checks.iter().all(|check| check.status != DoctorStatus::Failed);
    DoctorReport { ready, checks }
}

fn configuration(config: &ConfigSource) -> DoctorCheck {
    let effective = config.read();
    let problems: Vec<String> = effective.problems().iter().map(ToString::to_string).collect();
    let files: Vec<String> = effective.files().iter().map(|file| file.display().to_string()).collect();
    let files = if files.is_empty() { "no file, which is fine".to_owned() } else { files.join(", ") };
    match (effective.errors().next(), problems.is_empty()) {
        (Some(error), _) => {
            failed("configuration", error.to_string(), "mend it; `config check` lists all that is wrong")
        }
        (None, false) => missing(
            "configuration",
            format!("{files}; {} to look at", count(problems.len(), "thing")),
            "`config check` lists them",
        ),
        (None, true) => ok("configuration", files),
    }
}

fn trust(config: &ConfigSource) -> DoctorCheck {
    if config.is_trusted() {
        return ok("trust", "this folder is trusted".to_owned());
    }
    missing(
        "trust",
        "this folder is not trusted: nothing in it instructs the agent, its configuration may only restrict"
            .to_owned(),
        "`kkcode-lsp trust grant` trusts it",
    )
}

fn model(config: &ConfigSource) -> DoctorCheck {
    let selected = match config.selected() {
        Ok(selected) => selected,
        Err(error) => {
            let advice = if config.read().get(&["provider"]).is_some() {
                "name one in `models.main`, as `provider/model`"
            } else {
                "the quickest way: export ANTHROPIC_API_KEY=… and start the editor anew"
            };
            return failed("model", error.message.replace('\n', " "), advice);
        }
    };
    match config.models().map(|models| models.into_iter().find(|model| model.model == selected)) {
        Ok(Some(model)) => match model.unavailable {
            Some(why) => failed(
                "model",
                format!("{selected}: {why}"),
                "give it its key, or name another in `models.main`",
            ),
            None => ok("model", selected),
        },
        Ok(None) => match config.select(&selected) {
            Ok(_) => ok("model", selected),
            Err(error) => failed("model", error.message, "name another in `models.main`"),
        },
        Err(error) => failed("model", error.message, "mend the configuration"),
    }
}

fn keys(config: &ConfigSource) -> DoctorCheck {
    let found: Vec<String> = config
        .keys_in_environment()
        .iter()
        .map(|(name, variable)| format!("{name} from {variable}"))
        .collect();
    if found.is_empty() {
        missing("keys", "none in the environment".to_owned(), "needed only for providers that want one")
    } else {
        ok("keys", found.join(", "))
    }
}

/// Says which keys the keyring has, and never what they are.
fn keyring(config: &ConfigSource) -> DoctorCheck {
    match config.keyring() {
        KeyringState::Unused => {
            ok("keyring", "not asked, because the configuration says `keyring: false`".to_owned())
        }
        KeyringState::Unreachable(why) => missing(
            "keyring",
            why,
            "needed only for keys that are not in the environment; on Linux a Secret Service must run and be unlocked, such \
             as GNOME Keyring, KWallet or KeePassXC",
        ),
        KeyringState::Reached(found) if found.is_empty() => {
            ok("keyring", "reached; it has no key of a provider".to_owned())
        }
        KeyringState::Reached(found) => {
            ok("keyring", format!("reached; it has the key of {}", found.join(", ")))
        }
    }
}

fn ollama(config: &ConfigSource) -> DoctorCheck {
    match config.running_ollama() {
        Some(ollama) => {
            ok("ollama", format!("{} with {}", ollama.base_url, count(ollama.models.len(), "model")))
        }
        None => missing(
            "ollama",
            "not running on this machine".to_owned(),
            "needed only for local models: `ollama serve`",
        ),
    }
}

fn git() -> DoctorCheck {
    match version("git", "--version") {
        Some(version) => ok("git", version),
        None => missing("git", "not found".to_owned(), "install git, so that tasks can work in a worktree"),
    }
}

/// Tries out how commands can be bounded here.
#[cfg(unix)]
fn sandbox(config: &ConfigSource) -> DoctorCheck {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let offer = match &runtime {
        Ok(runtime) => runtime.block_on(config.sandbox().offer()),
        Err(error) => return missing("sandbox", format!("it cannot be tried out: {error}"), "start anew"),
    };
    let problems = offer.problems.join("; ");
    match (offer.is_sandboxed(), offer.layers) {
        (true, true) => ok("sandbox", offer.summary()),
        (true, false) => missing(
            "sandbox",
            format!("{} ({problems})", offer.summary()),
            "commands run without seeing pending edits; the question before each says so",
        ),
        (false, _) => missing(
            "sandbox",
            format!("not sandboxed: {problems}"),
            "commands run with all that you may do; on Linux install bubblewrap, or a kernel with Landlock",
        ),
    }
}

#[cfg(not(unix))]
fn sandbox(_config: &ConfigSource) -> DoctorCheck {
    missing("sandbox", "not sandboxed".to_owned(), "no command is run on this system")
}

fn log() -> DoctorCheck {
    let level = std::env::var("KKCODE_LOG").unwrap_or_else(|_| "warn".to_owned());
    ok("log", format!("stderr at level {level}, which the editor keeps; KKCODE_LOG=debug says more"))
}

/// Returns what a program says of its version; none if it is not there. It gets no key from our environment.
fn version(program: &str, argument: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let output = Command::new(program).arg(argument).env_clear().env("PATH", path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn line(check: &DoctorCheck, output: Output) -> String {
    let (mark, style) = match check.status {
        DoctorStatus::Ok => ("ok", Style::Green),
        DoctorStatus::Missing => ("--", Style::Yellow),
        DoctorStatus::Failed => ("NO", Style::Red),
    };
    let mark = output.paint(style, mark);
    let name = output.paint(Style::Bold, &format!("{:<13}", check.name));
    let advice = check.advice.as_ref().map(|advice| format!("\n   {:<13} → {advice}", ""));
    format!("{mark} {name} {}{}\n", check.message, advice.unwrap_or_default())
}

fn ok(name: &str, message: String) -> DoctorCheck {
    DoctorCheck { name: name.to_owned(), status: DoctorStatus::Ok, message, advice: None }
}

fn missing(name: &str, message: String, advice: &str) -> DoctorCheck {
    let advice = Some(advice.to_owned());
    DoctorCheck { name: name.to_owned(), status: DoctorStatus::Missing, message, advice }
}

fn failed(name: &str, message: String, advice: &str) -> DoctorCheck {
    DoctorCheck { status: DoctorStatus::Failed, ..missing(name, message, advice) }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
