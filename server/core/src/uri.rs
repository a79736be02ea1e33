//! `file:` URIs and paths (RFC 3986, RFC 8089), in every spelling that editors send.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// How the machine that holds the files names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStyle {
    /// `/home/me/x`; any bytes.
    Unix,
    /// `C:\me\x` and `\\host\share\x`; the drive letter in upper case.
    Windows,
}

impl PathStyle {
    /// The style of the machine that this program was built for.
    pub const NATIVE: Self = if cfg!(windows) { Self::Windows } else { Self::Unix };
}

/// Everything that RFC 3986 does not allow in a path, and what VS Code escapes besides.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the file that a URI names; `None` for other schemes, other hosts (on Unix) and paths that are not absolute.
///
/// Takes percent-encoded and raw characters alike, `file:/x`, `file://localhost/x`, and drive letters as `C:`, `c%3A`
/// or `C|`. Dots and symbolic links are left as they are; a query or fragment is not part of the path.
pub fn to_path(uri: &str, style: PathStyle) -> Option<PathBuf> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash)),
        None => ("", rest),
    };
    if !path.starts_with('/') {
        return None;
    }
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    if bytes.contains(&0) {
        return None;
    }
    let local = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    match style {
        PathStyle::Unix => local.then(|| unix_path(bytes))?,
        PathStyle::Windows => windows_path(&bytes, if local { None } else { Some(host) }),
    }
}

/// Returns the `file:` URI of an absolute path.
pub fn from_path(path: &Path, style: PathStyle) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    match style {
        PathStyle::Unix => format!("file://{}", percent_encode(bytes, ESCAPED)),
        PathStyle::Windows => {
            let slashed: Vec<u8> = bytes.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect();
            let escaped = percent_encode(&slashed, ESCAPED).to_string();
            match escaped.strip_prefix("//") {
                Some(unc) => format!("file://{unc}"),
                None => format!("file:///{escaped}"),
            }
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "on other systems a path may not be any bytes")]
fn unix_path(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn unix_path(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(PathBuf::from(String::from_utf8(bytes).ok()?))
}

fn windows_path(bytes: &[u8], host: Option<&str>) -> Option<PathBuf> {
    let path = std::str::from_utf8(bytes).ok()?;
    let slashes = |path: &str| path.replace('/', "\\");
    if let Some(host) = host {
        return Some(PathBuf::from(format!("\\\\{host}{}", slashes(path))));
    }
    let path = path.strip_prefix('/')?;
    let mut chars = path.chars();
    match (chars.next(), chars.next()) {
        (Some(drive), Some(':' | '|')) if drive.is_ascii_alphabetic() => {
            let rest = slashes(chars.as_str());
            let rest = if rest.is_empty() { "\\".to_owned() } else { rest };
            Some(PathBuf::from(format!("{}:{rest}", drive.to_ascii_uppercase())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
