//! What an agent says when it gives a task away: kkcode's fields and rules, and the prompt that is made of them.

use kkcode_core::task::{ExecutionMode, Isolation};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest prompt, in bytes.
const MOST: usize = 100_000;

/// The input of `task`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Brief {
    pub(super) prompt: Option<String>,
    objective: Option<String>,
    why: Option<String>,
    write_scope: Option<String>,
    pub(super) description: Option<String>,
    pub(super) subagent_type: Option<String>,
    pub(super) category: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) task_id: Option<String>,
    pub(super) group_id: Option<String>,
    pub(super) group_label: Option<String>,
    starting_points: Vec<String>,
    constraints: Vec<String>,
    deliverable: Option<String>,
    pub(super) execution_mode: Option<ExecutionMode>,
    pub(super) inherit_context: bool,
    pub(super) isolation: Option<Where>,
    pub(super) run_in_background: bool,
    pub(super) planned_files: Vec<String>,
    pub(super) allow_question: bool,
}

/// Where the task works, in kkcode's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Where {
    #[serde(alias = "none")]
    Default,
    Worktree,
}

/// A brief that follows the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) prompt: String,
    pub(super) execution_mode: ExecutionMode,
    pub(super) isolation: Isolation,
    /// The paths that may be changed; none at all when empty, any when absent.
    pub(super) write_scope: Option<Vec<String>>,
}

impl Brief {
    /// Checks the brief and writes the prompt.
    pub(super) fn order(&self) -> Result<Order, String> {
        let (prompt, objective) = (said(self.prompt.as_ref()), said(self.objective.as_ref()));
        let (session, deliverable) = (said(self.session_id.as_ref()), said(self.deliverable.as_ref()));
        let scope = said(self.write_scope.as_ref());
        let is_structured =
            [objective, said(self.why.as_ref()), scope, deliverable].iter().any(Option::is_some)
                || !self.starting_points.is_empty()
                || !self.constraints.is_empty()
                || !self.planned_files.is_empty();
        let forks = self.inherit_context || self.execution_mode == Some(ExecutionMode::ForkContext);
        let refused = if prompt.is_none() && objective.is_none() && session.is_none() {
            Some("say what is to be done: a `prompt` or an `objective`")
        } else if session.is_some() && is_structured {
            Some("`session_id` goes on with a conversation: say what is next in `prompt` alone")
        } else if session.is_some() && prompt.is_none() {
            Some("`session_id` needs a `prompt` that says what is next")
        } else if session.is_some() && (self.execution_mode.is_some() || self.inherit_context) {
            Some("`session_id` has its context already: leave out `execution_mode` and `inherit_context`")
        } else if prompt.is_none() && session.is_none() && scope.is_none() {
            Some("an `objective` without `prompt` needs a `write_scope`: paths, or `read-only`")
        } else if prompt.is_none() && session.is_none() && deliverable.is_none() {
            Some("an `objective` without `prompt` needs a `deliverable`")
        } else if forks && scope.is_some_and(|scope| !is_read_only(scope)) {
            Some(
                "a task with your context only looks: its `write_scope` is `read-only`, or it is a `fresh_agent`",
            )
        } else if self.run_in_background && self.allow_question {
            Some("a task in the background asks nothing: leave out `allow_question`")
        } else if self.isolation == Some(Where::Worktree)
            && (forks || session.is_some() || !self.run_in_background)
        {
            Some("a worktree is for a `fresh_agent` with `run_in_background`")
        } else {
            None
        };
        if let Some(refused) = refused {
            return Err(refused.to_owned());
        }
        let write_scope = scope.map(paths).transpose()?;
        let prompt = self.written(prompt, objective);
        if prompt.len() > MOST {
            return Err(format!("the brief has {} bytes; a task takes at most {MOST}", prompt.len()));
        }
        Ok(Order {
            prompt,
            execution_mode: if forks { ExecutionMode::ForkContext } else { ExecutionMode::FreshAgent },
            isolation: match self.isolation {
                Some(Where::Worktree) => Isolation::Worktree,
                Some(Where::Default) | None => Isolation::None,
            },
            write_scope,
        })
    }

    /// Returns the prompt: what was said, in sections.
    fn written(&self, prompt: Option<&str>, objective: Option<&str>) -> String {
        let list = |entries: &[String]| {
            let lines: Vec<String> = entries.iter().map(|entry| format!("- {entry}")).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        };
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        let sections = [
            ("Objective", text(objective)),
            ("Why", text(said(self.why.as_ref()))),
            ("Write scope", text(said(self.write_scope.as_ref()))),
            ("Starting points", list(&self.starting_points)),
            ("Constraints", list(&self.constraints)),
            ("Planned files", list(&self.planned_files)),
            ("Deliverable", text(said(self.deliverable.as_ref()))),
        ];
        let sections =
            sections.into_iter().filter_map(|(title, text)| Some(format!("## {title}\n{}", text?)));
        text(prompt).into_iter().chain(sections).collect::<Vec<_>>().join("\n\n")
    }
}

/// Returns the JSON Schema of the fields of a brief.
pub(super) fn fields() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let texts =
        |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    json!({
        "prompt": text("what is to be done, in full: the subagent knows nothing else"),
        "objective": text("instead of `prompt`: what is to be reached; needs `write_scope` and `deliverable`"),
        "why": text("what it is for"),
        "write_scope": text("the paths that may be changed, separated by commas, or `read-only`; edits elsewhere are refused"),
        "description": text("what it is about, in a few words"),
        "subagent_type": text("`general`, which has all tools, or `explore`, which looks and changes nothing"),
        "category": text("instead of `subagent_type`: none is configured"),
        "session_id": text("goes on with a task that has ended; `prompt` says what is next"),
        "task_id": text("how you call it, in the overview of a group"),
        "group_id": text("the group it belongs to"),
        "group_label": text("what the group is about"),
        "starting_points": texts("where to look first"),
        "constraints": texts("what must stay as it is"),
        "deliverable": text("what it brings"),
        "execution_mode": {"type": "string", "enum": ["fresh_agent", "fork_context"],
            "description": "whether it begins with the brief alone (default) or with your whole conversation"},
        "inherit_context": {"type": "boolean", "description": "short for `fork_context`"},
        "isolation": {"type": "string", "enum": ["default", "worktree"],
            "description": "`worktree`: it works in a git worktree of its own, a copy of the user's files; for the background"},
        "run_in_background": {"type": "boolean",
            "description": "go on meanwhile; you are told its end once, and need not look for it"},
        "planned_files": texts("files that it is expected to change"),
        "allow_question": {"type": "boolean", "description": "whether it may ask the user questions"}
    })
}

/// Tells whether a write scope, as an agent says it, is that nothing is changed.
fn is_read_only(scope: &str) -> bool {
    let scope = scope.to_lowercase();
    ["readonly", "no-mutation", "no-mutations", "no-write", "no-writes"].contains(&scope.as_str())
        || ["read-only", "no mutation", "no write"].iter().any(|words| scope.contains(words))
}

/// Reads a write scope: the paths in it, none when nothing may be changed.
fn paths(scope: &str) -> Result<Vec<String>, String> {
    if is_read_only(scope) {
        return Ok(Vec::new());
    }
    let entries = scope.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    let path = |entry: &str| {
        let bare = entry.trim_start_matches("./");
        let bare = bare.strip_suffix("/**").or(bare.strip_suffix("/*")).unwrap_or(bare).trim_end_matches('/');
        let is_path = !bare.is_empty()
            && !bare.starts_with('/')
            && !bare.split('/').any(|part| part == "..")
            && !bare.contains(['*', '?', ' ', '\\']);
        is_path.then(|| bare.to_owned()).ok_or_else(|| {
            format!("`{entry}` in `write_scope` is no path of the workspace; name files and folders, separated by commas, or say `read-only`")
        })
    };
    entries.map(path).collect()
}

fn said(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: Value, expected: &str) {
        let brief: Brief = serde_json::from_value(input).unwrap();
        match brief.order() {
            Ok(order) => assert_eq!(expected, "", "{order:?}"),
            Err(refusal) => assert!(!expected.is_empty() && refusal.contains(expected), "{refusal}"),
        }
    }

    #[test]
    fn a_brief_follows_the_rules() {
        check(json!({}), "a `prompt` or an `objective`");
        check(json!({"prompt": "  "}), "a `prompt` or an `objective`");
        check(json!({"prompt": "x"}), "");
        check(json!({"session_id": "s", "prompt": "x"}), "");
        check(json!({"session_id": "s", "prompt": "x", "why": "y"}), "in `prompt` alone");
        check(json!({"session_id": "s", "prompt": "x", "constraints": ["y"]}), "in `prompt` alone");
        check(json!({"session_id": "s"}), "needs a `prompt`");
        check(
            json!({"session_id": "s", "prompt": "x", "execution_mode": "fresh_agent"}),
            "leave out `execution_mode`",
        );
        check(json!({"objective": "x", "deliverable": "y"}), "needs a `write_scope`");
        check(json!({"objective": "x", "write_scope": "src"}), "needs a `deliverable`");
        check(json!({"objective": "x", "write_scope": "src", "deliverable": "y"}), "");
        check(json!({"prompt": "x", "execution_mode": "fork_context", "write_scope": "src"}), "only looks");
        check(json!({"prompt": "x", "inherit_context": true, "write_scope": "src"}), "only looks");
        check(json!({"prompt": "x", "inherit_context": true, "write_scope": "strictly read-only"}), "");
        check(json!({"prompt": "x", "run_in_background": true, "allow_question": true}), "asks nothing");
        check(json!({"prompt": "x", "isolation": "worktree"}), "run_in_background");
        check(
            json!({"prompt": "x", "isolation": "worktree", "run_in_background": true, "inherit_context": true}),
            "fresh_agent",
        );
        check(json!({"prompt": "x", "isolation": "worktree", "run_in_background": true}), "");
        check(json!({"prompt": "x", "write_scope": "../other"}), "no path of the workspace");
        check(json!({"prompt": "x", "write_scope": "/etc"}), "no path of the workspace");
        check(json!({"prompt": "x", "write_scope": "only the parser"}), "no path of the workspace");
    }

    #[test]
    fn a_write_scope_is_paths_or_nothing() {
        assert_eq!(
            paths("src/a, ./docs/\nb.txt, lib/**"),
            Ok(["src/a", "docs", "b.txt", "lib"].map(String::from).into())
        );
        for none in ["read-only", "READONLY", "no writes", "no-mutation", "No mutations, please"] {
            assert_eq!(paths(none), Ok(Vec::new()), "{none}");
        }
    }

    #[test]
    fn a_brief_becomes_a_prompt_in_sections() {
        let brief = json!({"objective": "find it", "write_scope": "read-only", "deliverable": "a list",
            "starting_points": ["src", "docs"]});
        let brief: Brief = serde_json::from_value(brief).unwrap();
        assert_eq!(
            brief.order().unwrap().prompt,
            "## Objective\nfind it\n\n## Write scope\nread-only\n\n## Starting points\n- src\n- docs\n\n## Deliverable\na list"
        );
    }
}
