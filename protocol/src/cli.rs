//! What the command line prints with `--json` where no message of the editor's has that shape.

use serde::{Deserialize, Serialize};

use crate::id::{ProposalId, SessionId, TurnId};
use crate::outcome::{ErrorInfo, Usage};
use crate::permission::Decision;
use crate::turn::TurnStatus;

/// Printed by `run --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The turn.
    pub turn_id: TurnId,
    /// Its session.
    pub session_id: SessionId,
    /// How it ended.
    pub status: TurnStatus,
    /// What the agent said, as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// The proposals that it made.
    pub proposal_ids: Vec<ProposalId>,
    /// What it proposed, as one unified diff that `git apply` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// What its model requests counted.
    pub usage: Usage,
    /// What the permissions or the user refused, in the order in which it was refused.
    pub denied: Vec<DeniedCall>,
}

/// A tool call that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeniedCall {
    /// The tool.
    pub tool: String,
    /// What it would have done: the command, the address, or the files.
    pub action: String,
    /// Why it was refused, in one sentence.
    pub reason: String,
    /// The rule, level or built-in list that refused it, or who answered.
    pub source: String,
}

/// Printed by `permission check --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCheckReport {
    /// What would be done.
    pub decision: Decision,
    /// Why, in one sentence.
    pub reason: String,
    /// The rule, level or built-in list that decided.
    pub source: String,
}

/// Printed by `config show --json` and `config check --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReport {
    /// The files that were read.
    pub files: Vec<String>,
    /// The values in effect; `config check` leaves them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<ConfigSetting>,
    /// What is wrong.
    pub problems: Vec<ConfigProblem>,
}

/// A value of the configuration that is in effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSetting {
    /// Its key, with points between the names.
    pub key: String,
    /// What it is; what may be a secret is not shown.
    pub value: serde_json::Value,
    /// Where it comes from: `file:line`, or in words.
    pub origin: String,
}

/// Something that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigProblem {
    /// `error`: the configuration is not used; `warning`: the value is not; `note`.
    pub severity: String,
    /// Where it is: `file:line`, or in words.
    pub origin: String,
    /// The key; absent when it is the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Printed by `doctor --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// Whether a turn could be started.
    pub ready: bool,
    /// What was looked at, in the order in which it is printed.
    pub checks: Vec<DoctorCheck>,
}

/// One thing that `doctor` looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorCheck {
    /// What it is, in a word.
    pub name: String,
    /// How it is.
    pub status: DoctorStatus,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How something is that `doctor` looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoctorStatus {
    /// As it should be.
    Ok,
    /// Not there, and something is missed without it.
    Missing,
    /// Nothing works before this is mended.
    Failed,
}

/// Printed on stderr by any command that fails with `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReport {
    /// What went wrong.
    pub error: ErrorInfo,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_look_as_specified() {
        let run = RunReport {
            turn_id: "turn-1".to_owned(),
            session_id: "session-1".to_owned(),
            status: TurnStatus::BudgetExhausted,
            reply: None,
            error: None,
            proposal_ids: vec!["proposal-1".to_owned()],
            patch: Some("--- a/x\n".to_owned()),
            usage: Usage { input_tokens: 3, output_tokens: 5, ..Usage::default() },
            denied: vec![DeniedCall {
                tool: "bash".to_owned(),
                action: "rm -rf /".to_owned(),
                reason: "r".to_owned(),
                source: "built-in".to_owned(),
            }],
        };
        assert_eq!(
            serde_json::to_value(run).unwrap(),
            json!({
                "turnId": "turn-1",
                "sessionId": "session-1",
                "status": "budget_exhausted",
                "proposalIds": ["proposal-1"],
                "patch": "--- a/x\n",
                "usage": { "inputTokens": 3, "outputTokens": 5 },
                "denied": [
                    { "tool": "bash", "action": "rm -rf /", "reason": "r", "source": "built-in" },
                ],
            })
        );

        let check = PermissionCheckReport {
            decision: Decision::Ask,
            reason: "r".to_owned(),
            source: "level".to_owned(),
        };
        assert_eq!(
            serde_json::to_value(check).unwrap(),
            json!({ "decision": "ask", "reason": "r", "source": "level" })
        );

        let error = ErrorReport { error: ErrorInfo { class: "auth".to_owned(), message: "m".to_owned() } };
        assert_eq!(
            serde_json::to_value(error).unwrap(),
            json!({ "error": { "class": "auth", "message": "m" } })
        );
    }
}
