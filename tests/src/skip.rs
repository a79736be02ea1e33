//! Says that a test could not run here, where the count of the test command sees it.

use std::io::Write as _;

/// Notes that a test is skipped: in the file named by `KKCODE_TEST_SKIPS`, else on stderr. The test then returns.
pub fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED: {test}: {reason}\n");
    let noted = std::env::var_os("KKCODE_TEST_SKIPS").map(|file| {
        std::fs::OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())
    });
    match noted {
        Some(Ok(())) => {}
        Some(Err(error)) => panic!("KKCODE_TEST_SKIPS cannot be written: {error}"),
        None => eprint!("{line}"),
    }
}
