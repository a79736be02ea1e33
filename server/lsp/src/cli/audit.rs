//! `audit`: shows what was asked and decided, and says whether somebody has changed it since.

use clap::{Args, Subcommand, ValueEnum};
use kkcode_agent::audit::{AuditFilter, AuditRow, list, verify};
use kkcode_core::audit::{AuditEvent, AuditRecord};
use kkcode_core::id::SessionId;
use kkcode_core::permission::Decision;
use kkcode_core::permission::characters::shown;
use kkcode_core::proposal::Timestamp;
use serde::Serialize;

use super::output::{Outcome, Output, Style};
use crate::{home, to_proto};

/// What to do with the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what was asked and decided, oldest first
    List(Filter),
    /// Look through all of it, and name the first row that is not what was written
    Verify,
}

/// Which rows.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only those of this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only those with this decision
    #[arg(long, value_enum)]
    decision: Option<DecisionName>,
    /// Only those that are not older: a time such as 2026-01-31T12:00:00Z, or an age such as 30m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DecisionName {
    Allow,
    Ask,
    Deny,
}

/// One row, as it is printed with `--json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    seq: u64,
    at: String,
    #[serde(flatten)]
    record: &'a AuditRecord,
    hash: &'a str,
}

/// What `verify --json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    whole: bool,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Does it. A broken chain is exit code 1.
pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::List(filter) => show(filter, output),
        Command::Verify => prove(output),
    }
}

fn show(filter: &Filter, output: Output) -> Outcome {
    let decision = filter.decision.map(|decision| match decision {
        DecisionName::Allow => Decision::Allow,
        DecisionName::Ask => Decision::Ask,
        DecisionName::Deny => Decision::Deny,
    });
    let session = filter.session.as_deref().map(SessionId::new);
    let found = list(home::find(None), AuditFilter { session, decision, since: filter.since })?;
    let rows: Vec<Row<'_>> = found
        .iter()
        .map(|row| Row {
            seq: row.seq,
            at: to_proto::timestamp(row.at),
            record: &row.record,
            hash: &row.hash,
        })
        .collect();
    output.print(&rows, || {
        let text: String = found.iter().map(|row| line(row, output)).collect();
        if text.is_empty() { "nothing was asked or decided\n".to_owned() } else { text }
    })?;
    Ok(0)
}

fn line(row: &AuditRow, output: Output) -> String {
    let AuditRecord { event, session, tool, action, decision, by, reason, .. } = &row.record;
    let (word, style) = match (event, decision) {
        (AuditEvent::Asked, _) | (_, Decision::Ask) => ("asked", Style::Yellow),
        (_, Decision::Allow) => ("allowed", Style::Green),
        (_, Decision::Deny) => ("denied", Style::Red),
    };
    let about: Vec<&str> =
        [by, reason].into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let at = output.paint(Style::Dim, &format!("{}  {}  {session}", row.seq, to_proto::timestamp(row.at)));
    let what = shown(&format!("{tool}: {action}")).replace('\n', " ");
    let why = shown(&about.join(": ")).replace('\n', " ");
    format!("{at}  {}  {what}  {}\n", output.paint(style, word), output.paint(Style::Dim, &why))
}

fn prove(output: Output) -> Outcome {
    let state = verify(home::find(None))?;
    let (broken_row, reason) = state.broken.map(|broken| (broken.seq, broken.what)).unzip();
    let report =
        Report { whole: broken_row.is_none(), rows: state.rows, head: state.head, broken_row, reason };
    output.print(&report, || match (&report.broken_row, &report.reason) {
        (Some(seq), Some(reason)) => {
            format!("{}: row {seq}: {reason}\n", output.paint(Style::Red, "the audit was changed"))
        }
        _ => format!("{}: {} rows\n", output.paint(Style::Green, "the audit is whole"), report.rows),
    })?;
    Ok(u8::from(!report.whole))
}

/// Reads a time or an age.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let wrong = || format!("`{text}` is neither a time such as 2026-01-31T12:00:00Z nor an age such as 12h");
    let number = text.trim_end_matches(['m', 'h', 'd']);
    let unit = match text.strip_prefix(number) {
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        Some("d") => 86_400_000,
        _ => return Err(wrong()),
    };
    let age = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
    Ok(Timestamp(jiff::Timestamp::now().as_millisecond().saturating_sub(age)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ages_are_read() {
        assert_eq!(since("1970-01-01T00:00:01Z"), Ok(Timestamp(1000)));
        assert!(since("2h").unwrap() < since("1m").unwrap());
        for wrong in ["", "h", "5", "5x", "-", "yesterday", "99999999999999999d"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
