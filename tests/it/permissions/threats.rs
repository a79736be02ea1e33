//! Threats by their numbers: somebody else's folder, model, terminal or machine tries what it should not, and the real server is looked at.
#![cfg(target_os = "linux")]

mod answers;
mod opened;
mod others;
mod protected;
mod secrets;
mod spoofed;

use std::fs;
use std::path::Path;

/// The properties (P) and threats (X) of the reliability study that are shown, each by a test with its number. The corpus is P-01,
/// a benchmark P-08; X-07 is about tools of other servers, which there are none of yet.
const SHOWN: [&str; 15] = [
    "p02_", "p03_", "p04_", "p05_", "p06_", "p07_", "x01_", "x02_", "x03_", "x04_", "x05_", "x06_", "x08_",
    "x09_", "x10_",
];

#[test]
fn each_property_and_threat_of_the_list_has_its_test() {
    let mut sources = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("server")];
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("it"));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let missing: Vec<&str> =
        SHOWN.into_iter().filter(|number| !sources.contains(&format!("fn {number}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
