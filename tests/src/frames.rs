//! Reads what a server writes, and takes nothing but exact messages.

use std::io::{self, BufRead, Read};

use serde_json::Value;

/// Reads one message; `None` at the end of the output.
///
/// The header is exactly `Content-Length: N`, CRLF, CRLF, and the body a JSON-RPC 2.0 object: anything else is an error.
pub(crate) fn read(output: &mut impl BufRead) -> Result<Option<Value>, String> {
    let mut header = Vec::new();
    output.take(1024).read_until(b'\n', &mut header).map_err(|error| error.to_string())?;
    if header.is_empty() {
        return Ok(None);
    }
    let length =
        length(&header).ok_or_else(|| format!("no header: {:?}", String::from_utf8_lossy(&header)))?;
    let mut blank = [0; 2];
    output.read_exact(&mut blank).map_err(|error| format!("after a header: {error}"))?;
    if blank != *b"\r\n" {
        return Err(format!("no blank line but {:?} after a header", String::from_utf8_lossy(&blank)));
    }
    let mut body = Vec::new();
    match output.take(length).read_to_end(&mut body) {
        Ok(read) if u64::try_from(read) == Ok(length) => {}
        Ok(read) => return Err(format!("a body of {length} bytes ends after {read}")),
        Err(error) => return Err(error.to_string()),
    }
    let message: Value = serde_json::from_slice(&body).map_err(|error| format!("no JSON: {error}"))?;
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(format!("no JSON-RPC 2.0: {message}"));
    }
    Ok(Some(message))
}

/// Returns a body with its header.
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Skips all output without looking at it.
pub(crate) fn drain(output: &mut impl Read) {
    // A broken pipe is the end, too.
    drop(io::copy(output, &mut io::sink()));
}

fn length(header: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(header).ok()?.strip_prefix("Content-Length: ")?.strip_suffix("\r\n")?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(output: &str, expected: &Result<Option<Value>, &str>) {
        let read = read(&mut output.as_bytes());
        match expected {
            Ok(message) => assert_eq!(read.as_ref(), Ok(message)),
            Err(error) => assert!(read.as_ref().is_err_and(|found| found.contains(error)), "{read:?}"),
        }
    }

    #[test]
    fn only_exact_messages_are_taken() {
        check("", &Ok(None));
        check("Content-Length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}", &Ok(Some(json!({"jsonrpc": "2.0"}))));
        check("hello\nContent-Length: 2", &Err("no header"));
        check("content-length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}", &Err("no header"));
        check("Content-Length: 17\n\n{\"jsonrpc\":\"2.0\"}", &Err("no header"));
        check("Content-Length: 2\r\n{}", &Err("no blank line"));
        check("Content-Length: 3\r\n\r\n{}", &Err("ends after 2"));
        check("Content-Length: 2\r\n\r\n{}", &Err("no JSON-RPC 2.0"));
        check("Content-Length: 2\r\n\r\n{]", &Err("no JSON"));
    }
}
