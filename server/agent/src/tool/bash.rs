//! `bash`: runs a command line, when the gate lets it through.

use std::time::Duration;

use kkcode_core::permission::engine::{Action, Call};
use kkcode_core::permission::shell::Shell;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool};
use crate::command::{self, Line, Outlook};
use crate::gate::{Act, Reach};

pub(super) const TOOL: Tool = Tool {
    name: "bash",
    description: "Run a command line with bash in the first workspace folder, with your pending edits in place. It has no input, \
                  no terminal, and usually no network; it may write in the workspace and in $TMPDIR alone. Every call is a shell \
                  of its own. Files that it changes are proposed to the user like any edit; build output stays where it is. \
                  Long output is cut in the middle. Use the other tools to read, search and edit files. Servers and other \
                  commands that do not end: `run_in_background`.",
    schema,
    kind: Kind::Acts,
    run,
};

/// How long a command may take, in milliseconds: if nothing is said, at least, at most.
const TIMEOUT: (u64, u64, u64) = (120_000, 1000, 600_000);

/// Why a background command is asked where nothing lies between it and the user's files.
const UNREVIEWED: &str =
    "it runs in the background on the files themselves: what it writes there is not reviewed";

/// The longest command line, in bytes.
const MOST: usize = 100_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    command: String,
    timeout: Option<u64>,
    description: Option<String>,
    #[serde(default)]
    run_in_background: bool,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "the command line"},
            "timeout": {
                "type": "integer",
                "description": "milliseconds after which it is ended; 120000 if left out, 600000 at most"
            },
            "description": {"type": "string", "description": "what it is for, in a few words"},
            "run_in_background": {
                "type": "boolean",
                "description": "go on while it runs, with an id for `background_output` and `background_cancel`"
            }
        },
        "required": ["command"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { command: text, timeout, description, run_in_background } = super::input("bash", input)?;
    if text.trim().is_empty() {
        return Err("`command` is empty".to_owned());
    }
    if text.len() > MOST {
        return Err(format!(
            "`command` has {} bytes; at most {MOST} are run: write a script first",
            text.len()
        ));
    }
    let Some(site) = ctx.site else { return Err("no command can be run here".to_owned()) };
    let action = |network| Action::Command { line: text.clone(), shell: Shell::Bash, network };
    let outlook = command::outlook(site, ctx.snapshot).inspect_err(|why| {
        ctx.check.refused(action(false), why);
    })?;
    let action = action(outlook.network);
    let timeout = timeout.unwrap_or(TIMEOUT.0).clamp(TIMEOUT.1, TIMEOUT.2);
    let line = Line {
        text: text.clone(),
        timeout: Duration::from_millis(timeout),
        in_background: run_in_background,
    };
    let site = site.clone();
    Ok(Outcome::Act(Act {
        call: Call { tool: "bash".to_owned(), action },
        title: title(description.as_deref(), &outlook),
        detail: text,
        reach: Reach::default(),
        asked_anyway: (run_in_background && !outlook.layered).then_some(UNREVIEWED),
        unseen: outlook.unseen_proposal,
        run: Box::new(move |permit| command::run(site, line, permit)),
    }))
}

/// Says in one line what is asked, and what the user would not expect.
fn title(description: Option<&str>, outlook: &Outlook) -> String {
    let mut title = "run a command".to_owned();
    if let Some(description) = description.map(str::trim).filter(|description| !description.is_empty()) {
        let first = description.lines().next().unwrap_or_default();
        title = format!("{title}: {}", super::clipped(first, 100));
    }
    if outlook.sandbox.is_none() {
        title.push_str(" (not sandboxed)");
    }
    if outlook.unseen > 0 {
        let s = if outlook.unseen == 1 { "" } else { "s" };
        title = format!(
            "{title} (it will not see the pending edits and unsaved text of {} file{s})",
            outlook.unseen
        );
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_nobody_expects() {
        let bounded = Outlook {
            sandbox: Some("namespaces".into()),
            unseen: 0,
            unseen_proposal: None,
            layered: true,
            network: false,
        };
        assert_eq!(title(Some("build it\nnow"), &bounded), "run a command: build it");
        let bare = Outlook { sandbox: None, unseen: 2, unseen_proposal: None, layered: false, network: true };
        let title = title(None, &bare);
        assert!(
            title.contains("(not sandboxed)") && title.contains("pending edits and unsaved text of 2 files"),
            "{title}"
        );
    }
}
