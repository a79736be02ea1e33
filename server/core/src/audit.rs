//! What is kept for good of every question and decision about tool calls, without the secrets that were in it.

use serde::{Deserialize, Serialize};

use crate::id::{PromptId, SessionId, TurnId};
use crate::permission::Decision;

/// One row of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What happened.
    pub event: AuditEvent,
    /// In which conversation.
    pub session: SessionId,
    /// In which turn.
    pub turn: TurnId,
    /// The prompt that it belongs to, if the user was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptId>,
    /// The tool.
    pub tool: String,
    /// What it would do: all that the user was shown, or could have been.
    pub action: String,
    /// What was decided: `ask` for a question.
    pub decision: Decision,
    /// Who decided: a rule and its place, a level, a built-in list, or who answered.
    pub by: String,
    /// Why, or what the agent was told with the answer.
    pub reason: String,
}

/// What a row of the audit tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditEvent {
    /// The user was asked.
    Asked,
    /// It was decided, by the engine or by the user.
    Decided,
}

impl AuditRecord {
    /// Returns the texts in which a secret may stand.
    pub fn texts(&mut self) -> [&mut String; 4] {
        [&mut self.tool, &mut self.action, &mut self.by, &mut self.reason]
    }

    /// Takes everything out that looks like a secret; see [`without_secrets`].
    pub fn clean(&mut self) {
        for text in self.texts() {
            *text = without_secrets(text);
        }
    }
}

/// What stands in the place of a secret.
const REMOVED: &str = "[removed]";

/// How tokens begin whose makers gave them a shape.
const PREFIXES: &[&str] = &[
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "hf_",
    "npm_",
    "pypi-",
    "eyJ",
    "dop_v1_",
    "shpat_",
    "SG.",
    "AGE-SECRET-KEY-",
    "gsk_",
    "xai-",
    "r8_",
    "tvly-",
    "dckr_pat_",
    "hvs.",
    "ATATT",
];

/// A shorter word with such a beginning is none.
const LEAST_TOKEN: usize = 16;

/// Headers whose value is a secret.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "private-token",
    "x-auth-token",
    "cookie",
];

/// How the names of what is secret end, in small letters.
const SECRET_NAMES: &[&str] = &[
    "api_key",
    "apikey",
    "api-key",
    "_key",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "pwd",
    "pat",
];

/// Returns a text without what looks like a secret: tokens of well-known shapes, private keys, the values of headers that
/// authorize, what is assigned to a name such as `API_KEY` or given to an option such as `--token`, and the user and password
/// of an address.
pub fn without_secrets(text: &str) -> String {
    let text = without_blocks(text);
    let text = without_headers(&text);
    let text = without_userinfo(&text);
    let text = without_values(&text);
    without_tokens(&text)
}

/// `-----BEGIN PRIVATE KEY-----` up to its end.
fn without_blocks(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, block)) = rest.split_once("-----BEGIN ") {
        clean.push_str(before);
        let kind = block.split("-----").next().unwrap_or_default();
        if !kind.contains("PRIVATE KEY") {
            clean.push_str("-----BEGIN ");
            rest = block;
            continue;
        }
        clean.push_str(REMOVED);
        let end = block.split_once("-----END ").and_then(|(_, end)| end.split_once("-----"));
        rest = end.map_or("", |(_, behind)| behind);
    }
    clean.push_str(rest);
    clean
}

fn without_headers(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    'text: while !rest.is_empty() {
        let begins_word = !clean.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if begins_word {
            for header in HEADERS {
                let named = rest.get(..header.len()).is_some_and(|name| name.eq_ignore_ascii_case(header));
                let behind = rest.get(header.len()..).unwrap_or_default();
                let value = behind.trim_start_matches(['"', '\'', ' ', '\t', '\\']);
                if named && value.starts_with([':', '=']) {
                    let skipped = rest.len() - value.len() + 1;
                    let value = value.get(1..).unwrap_or_default();
                    let inner = value.trim_start_matches([' ', '\t', '"', '\'', '\\']);
                    let end = inner.find(['"', '\'', '\n', '\r', '\\']).unwrap_or(inner.len());
                    clean.push_str(rest.get(..skipped).unwrap_or_default());
                    clean.push_str(value.get(..value.len() - inner.len()).unwrap_or_default());
                    clean.push_str(REMOVED);
                    rest = inner.get(end..).unwrap_or_default();
                    continue 'text;
                }
            }
        }
        rest = push_char(&mut clean, rest);
    }
    clean
}

fn without_userinfo(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let is_end =
            |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>' | '|');
        let authority = behind.get(..behind.find(is_end).unwrap_or(behind.len())).unwrap_or_default();
        rest = behind;
        if let Some((_user, host)) = authority.rsplit_once('@') {
            clean.push_str(REMOVED);
            clean.push('@');
            rest = behind.get(authority.len() - host.len()..).unwrap_or_default();
        }
    }
    clean.push_str(rest);
    clean
}

/// `NAME_TOKEN=x`, `"api_key": "x"`, `--password x`.
fn without_values(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let sign = rest.chars().next().filter(|c| matches!(c, '=' | ':' | ' '));
        let name_end = clean.trim_end_matches(['"', '\'', '\\']);
        let quoted_name = name_end.len() < clean.len();
        let start = name_end.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
        let name = name_end.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
        let small = name.to_ascii_lowercase();
        let is_secret = SECRET_NAMES.iter().any(|ending| small.ends_with(ending));
        let assigns = match sign {
            Some('=') => true,
            Some(':') => quoted_name || rest.starts_with(": "),
            Some(' ') => name.starts_with("--"),
            _ => false,
        };
        if !(is_secret && assigns) {
            rest = push_char(&mut clean, rest);
            continue;
        }
        rest = push_char(&mut clean, rest);
        let value = rest.trim_start_matches([' ', '"', '\'', '\\']);
        let opening = rest.get(..rest.len() - value.len()).unwrap_or_default();
        let quote = opening.chars().find(|c| matches!(c, '"' | '\''));
        let end = match quote {
            Some(quote) => value.find([quote, '\\', '\n']),
            None => value
                .find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | '|' | '"' | '\'' | ')' | ',')),
        };
        let end = end.unwrap_or(value.len());
        clean.push_str(opening);
        // A variable is named, not told.
        let told = value.get(..end).unwrap_or_default();
        let is_name = told.is_empty() || told.starts_with('$') || told == REMOVED;
        clean.push_str(if is_name { told } else { REMOVED });
        rest = value.get(end..).unwrap_or_default();
    }
    clean
}

fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if length == 0 {
            rest = push_char(&mut clean, rest);
            continue;
        }
        let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let bearer =
            clean.get(clean.len().saturating_sub(7)..).is_some_and(|end| end.eq_ignore_ascii_case("bearer "));
        let shaped = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        let is_token = word.len() >= LEAST_TOKEN && (shaped || bearer);
        clean.push_str(if is_token { REMOVED } else { word });
        rest = behind;
    }
    clean
}

/// Copies one character and returns what follows it.
fn push_char<'a>(clean: &mut String, rest: &'a str) -> &'a str {
    let mut chars = rest.chars();
    clean.extend(chars.next());
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_do_not_stay() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        for (text, secret) in [
            (["git clone https:/", "/me:", &token, "@host.example/x"].concat(), token.as_str()),
            (format!("curl -H 'X-Y: {token}' e"), token.as_str()),
            ("git push https://user:hunter2@host.example/x y@z".to_owned(), "hunter2"),
            ("curl -H \"Authorization: Basic aHVudGVyMg\" e".to_owned(), "aHVudGVyMg"),
            ("curl -H 'authorization:Bearer abc def' e".to_owned(), "abc def"),
            ("{\"headers\": {\"Authorization\": \"Bearer abcdef\"}}".to_owned(), "abcdef"),
            ("{\\\"x-api-key\\\": \\\"hunter2\\\"}".to_owned(), "hunter2"),
            ("OPENAI_API_KEY=hunter2 make".to_owned(), "hunter2"),
            ("export DB_PASSWORD='hunter 2'; ls".to_owned(), "hunter 2"),
            ("tool --password hunter2 --x".to_owned(), "hunter2"),
            ("tool --token=hunter2".to_owned(), "hunter2"),
            ("{\"api_key\": \"hunter2\"}".to_owned(), "hunter2"),
            ("https://e.example/?access_token=hunter2&x=1".to_owned(), "hunter2"),
            ("password: hunter2".to_owned(), "hunter2"),
            ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----".to_owned(), "hunter2"),
            ("-----BEGIN PRIVATE KEY-----\nhunter2".to_owned(), "hunter2"),
            (format!("bearer {}", "x7".repeat(10)), "x7x7"),
        ] {
            let clean = without_secrets(&text);
            assert!(!clean.contains(secret) && clean.contains(REMOVED), "{text} became {clean}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "cargo test --workspace",
            "git log --author=me@host.example",
            "curl https://host.example/a?b=c",
            "echo $OPENAI_API_KEY",
            "API_KEY=$OTHER make",
            "sk-short and AKIA",
            "-----BEGIN CERTIFICATE-----\nx",
            "the token of a lexer",
            "ünïcödé: ß",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(text in "[a-zA-Z=:@/ '\"\\n$-]{0,80}") {
            let once = without_secrets(&text);
            prop_assert_eq!(without_secrets(&once), once);
        }
    }
}
