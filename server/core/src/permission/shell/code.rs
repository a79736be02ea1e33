//! Program text inside a command line: judged by the words in it, since no table of options can know it.

use super::expand::quoted_strings;
use super::scan::Part;

/// Returns the program text that a part of a line holds.
pub(super) fn text(part: &Part) -> String {
    let mut text = String::new();
    for word in part.arguments().filter(|word| word.contains(['(', ' ', ';', '.'])) {
        text += word;
        text.push('\n');
    }
    text += part.document.as_deref().unwrap_or_default();
    text
}

fn has(text: &str, any: &[&str]) -> bool {
    any.iter().any(|word| text.contains(word))
}

const CONNECTS: &[&str] = &[
    "socket",
    "fsockopen",
    "TCPSocket",
    "net.connect",
    "createConnection",
    "net.Socket",
    "IO::Socket",
    "/inet/tcp",
    "urlopen",
    "requests.get",
    "requests.post",
    "http.get",
    "https.get",
    "fetch(",
    "LWP",
    "open-uri",
    "Net::HTTP",
    "file_get_contents('http",
    "file_get_contents(\"http",
    "urllib",
    "httpx",
    "URI.open",
    "socket.tcp",
    ".connect(",
    "\"net\"",
    "'net'",
];
const EXECUTES: &[&str] = &[
    "pty.",
    "spawn",
    "exec",
    "system",
    "popen",
    "subprocess",
    "dup2",
    "child_process",
    "eval",
    "/bin/sh",
    "/bin/bash",
    "execl",
    "os.execute",
    "&getline",
    "|&",
    "shell_exec",
    "passthru",
    "proc_open",
    "io.popen",
    "Function(",
    "__import__",
    "compile(",
];
const DECODES: &[&str] = &[
    "b64decode",
    "a2b_base64",
    "unhexlify",
    "fromhex",
    "codecs.decode",
    "'base64')",
    "\"base64\")",
    "atob(",
    "decode64",
    "base64_decode",
    "decode_base64",
    "fromCharCode",
    "pack(",
    "marshal.loads",
    "zlib.decompress",
    "gzinflate",
    "pickle.loads",
];

/// Tells whether program text connects to the network and runs something, or runs what it has decoded or fetched.
pub(super) fn connects_a_shell(part: &Part) -> bool {
    let text = text(part);
    has(&text, EXECUTES) && (has(&text, CONNECTS) || has(&text, DECODES))
}

/// Tells whether program text connects to the network and names the whole of the environment.
pub(super) fn sends_the_environment(part: &Part) -> bool {
    let text: String = text(part).chars().filter(|c| !c.is_whitespace()).collect();
    has(&text, CONNECTS)
        && has(
            &text,
            &[
                "(os.environ)",
                "(dict(os.environ",
                "os.environ.items",
                "(process.env)",
                "ENV.to_",
                "%ENV",
                "$_ENV)",
            ],
        )
}

/// Tells whether program text changes files.
pub(super) fn writes(part: &Part) -> bool {
    let text = text(part);
    let modes = ["'w", "\"w", "'a'", "\"a\"", "'>", "\">"];
    has(&text, &modes)
        || has(
            &text,
            &[
                "write",
                "copy",
                "rename",
                "chmod",
                "symlink",
                "unlink",
                "remove",
                "mkdir",
                "shutil",
                "appendFile",
            ],
        )
}

/// Returns the strings of a part's program text that removing things names, if it removes trees of folders.
pub(super) fn removed_trees(part: &Part) -> Vec<String> {
    let text = text(part);
    let removes = has(
        &text,
        &[
            "rmtree",
            "rmSync",
            "rmdirSync",
            "rm_rf",
            "rm_r",
            "remove_tree",
            "remove_entry",
            "rimraf",
            "removeSync",
            "RemoveAll",
            "fs.rm(",
        ],
    );
    if removes { quoted_strings(&text) } else { Vec::new() }
}

/// Returns the strings of a part's program text, any of which may be a path.
pub(super) fn strings(part: &Part) -> Vec<String> {
    quoted_strings(&text(part))
}
