//! What a server's refusal means: a class and a message, from its status, its body and its error frames.

use serde_json::Value;

use crate::stream::{ErrorClass, ProviderError};

/// How much of a body that nobody expected is shown, in characters.
const SHOWN: usize = 200;

/// How much of a server's own message is shown, in characters.
const LONGEST_MESSAGE: usize = 1000;

/// What servers write when a conversation does not fit, in lower case: Anthropic, `OpenAI`, `DeepSeek`, Qwen, GLM, Gemini,
/// `OpenRouter`, vLLM, llama.cpp, LM Studio, Ollama, `LiteLLM`.
const CONTEXT: [&str; 15] = [
    "context_length_exceeded",
    "contextwindowexceeded",
    "exceed_context_size",
    "context length",
    "context size",
    "context window",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "prompt too long",
    "input length",
    "range of input length",
    "too many input tokens",
    "input token count",
    "request_too_large",
];

/// What servers write, in lower case, when thoughts that came from them are not taken back: because the conversation before
/// them was shortened since, or they are another model's.
const THOUGHTS: [&str; 4] = [
    "bound to a different conversation",
    "blocks in the latest assistant message cannot be modified",
    "invalid `signature` in `thinking` block",
    "encrypted content",
];

/// Tells whether a request was refused for the thoughts in it, which it can do without.
pub(crate) fn is_about_thoughts(error: &ProviderError) -> bool {
    let text = error.message.to_lowercase();
    error.class == ErrorClass::BadRequest && THOUGHTS.iter().any(|part| text.contains(part))
}

/// Returns what an answer with a status other than success means.
pub(crate) fn of_status(status: u16, body: &str) -> ProviderError {
    let found = serde_json::from_str(body).ok().and_then(|body| Complaint::find(&body));
    let message = match &found {
        Some(complaint) if !complaint.message.is_empty() => short(&complaint.message, LONGEST_MESSAGE),
        _ => shown(body),
    };
    let context = is_context(&message) || found.as_ref().is_some_and(|found| is_context(&found.kind));
    let unpaid = found.as_ref().is_some_and(Complaint::is_unpaid);
    let class = match status {
        413 => ErrorClass::ContextTooLong,
        400.. if context => ErrorClass::ContextTooLong,
        401..=403 => ErrorClass::Auth,
        429 if unpaid => ErrorClass::Auth,
        429 => ErrorClass::RateLimit,
        408 | 409 | 425 | 500.. => ErrorClass::Overloaded,
        400..500 => ErrorClass::BadRequest,
        _ => ErrorClass::Protocol,
    };
    let message = if message.is_empty() { "an empty body".to_owned() } else { message };
    ProviderError::new(class, format!("the server answered {status}: {message}"))
}

/// Returns what an error inside a stream that began well means.
pub(crate) fn of_frame(frame: &Value) -> ProviderError {
    let Some(complaint) = Complaint::find(frame) else {
        return ProviderError::new(
            ErrorClass::Protocol,
            format!("the server sent {}", shown(&frame.to_string())),
        );
    };
    let kind = complaint.kind.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| kind.contains(part));
    let class = if is_context(&complaint.message) || is_context(&kind) {
        ErrorClass::ContextTooLong
    } else if complaint.is_unpaid() || has(&["authentication", "permission", "401", "402", "403"]) {
        ErrorClass::Auth
    } else if has(&["rate_limit", "throttling", "429"]) {
        ErrorClass::RateLimit
    } else if has(&["invalid", "not_found", "bad_request", "400", "404", "422"]) {
        ErrorClass::BadRequest
    } else {
        ErrorClass::Overloaded
    };
    let what = match short(&complaint.message, LONGEST_MESSAGE) {
        message if message.is_empty() => complaint.kind,
        message => message,
    };
    ProviderError::new(class, format!("the server broke off its answer: {what}"))
}

/// Returns the error of a body that is not what was asked for.
pub(crate) fn unexpected(what: &str, body: &str) -> ProviderError {
    let body = shown(body);
    let message = if body.is_empty() { what.to_owned() } else { format!("{what}; it begins: {body}") };
    ProviderError::new(ErrorClass::Protocol, message)
}

/// What a server says is wrong.
#[derive(Debug, Default)]
struct Complaint {
    message: String,
    /// Its type and its code, whichever there are.
    kind: String,
}

impl Complaint {
    /// Finds it in any of the shapes that servers use: `{error: {message, type, code}}`, `{error: ".."}`, `{message}`,
    /// `{detail}`, `{response: {error}}`, and a list of one of them.
    fn find(body: &Value) -> Option<Self> {
        match body {
            Value::Array(list) => Self::find(list.first()?),
            Value::Object(object) => {
                if let Some(response) = object.get("response") {
                    return Self::find(response);
                }
                match object.get("error") {
                    Some(Value::String(message)) => {
                        let message = message.clone();
                        Some(Self { message, kind: words(body, &["type", "code", "status"]) })
                    }
                    Some(error @ Value::Object(_)) => Some(Self {
                        message: words(error, &["message"]),
                        kind: words(error, &["type", "code", "status"]),
                    }),
                    _ => {
                        let message = words(body, &["message", "detail"]);
                        let kind = words(body, &["code", "type"]);
                        (!message.is_empty()).then_some(Self { message, kind })
                    }
                }
            }
            _ => None,
        }
    }

    /// Tells whether waiting does not help, but money does.
    fn is_unpaid(&self) -> bool {
        let kind = self.kind.to_lowercase();
        ["insufficient_quota", "billing", "insufficient_balance"].iter().any(|part| kind.contains(part))
    }
}

/// Returns what stands under these names, one behind the other.
fn words(object: &Value, names: &[&str]) -> String {
    let found = names.iter().filter_map(|name| match object.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(other @ (Value::Array(_) | Value::Object(_))) => Some(other.to_string()),
        _ => None,
    });
    found.collect::<Vec<_>>().join(" ")
}

fn is_context(text: &str) -> bool {
    let text = text.to_lowercase();
    CONTEXT.iter().any(|part| text.contains(part))
}

/// Returns the beginning of a body on one line.
fn shown(body: &str) -> String {
    let head: String = body.chars().take(4 * SHOWN).collect();
    short(&head.split_whitespace().collect::<Vec<_>>().join(" "), SHOWN)
}

fn short(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
