//! Real input: an agent turns one published version of a package into the next, and every hunk is accepted, in no order.

use std::collections::BTreeMap;
use std::io::Write as _;

use kkcode_core::diff::line_changes;
use kkcode_core::lines::Lines;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn chalk_becomes_its_next_version() {
    becomes_the_next_version("chalk").await;
}

#[tokio::test]
async fn commander_becomes_its_next_version() {
    becomes_the_next_version("commander").await;
}

#[tokio::test]
async fn yaml_becomes_its_next_version() {
    becomes_the_next_version("yaml").await;
}

async fn becomes_the_next_version(package: &str) {
    let Some((old, new)) = versions(package) else { return };
    let changes: Vec<Value> = new
        .iter()
        .filter(|(path, text)| old.get(*path) != Some(text))
        .flat_map(|(path, text)| match old.get(path) {
            None => vec![json!({"path": path, "after": text})],
            Some(old) => replacements(path, old, text),
        })
        .collect();
    assert!(!changes.is_empty());
    let script = json!({"turns": [
        {"stream": [{"tool": {"name": "multiedit", "input": {"changes": changes}}}]},
        {"expect": ["proposed, not yet accepted"], "stream": [{"text": "Done."}]},
    ]});
    let mut world = World::new(&script.to_string());
    let work = world.dir.path().join("work");
    for (path, text) in &old {
        let path = work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.start_turn().await;
    let turn = world.finished().await;
    assert_eq!(turn.status, TurnStatus::Completed, "{:?}", turn.reply);

    let snapshot = world.handle.snapshot().await.unwrap();
    let review = snapshot.reviews.iter().next().expect("a proposal");
    let proposal = review.proposal.id.clone();
    let mut hunks: Vec<HunkId> =
        review.proposal.files.iter().flat_map(|file| &file.hunks).map(|hunk| hunk.id.clone()).collect();
    // The names are digests: their order has nothing to do with the hunks' places.
    hunks.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    for hunk in hunks {
        let (proposal, hunks) = (proposal.clone(), Selection::Hunk(hunk));
        let reply = world.handle.request(Command::Accept { proposal, hunks }).await;
        assert_eq!(reply, Ok(Reply::Accepted), "{package}");
    }
    for (path, text) in &new {
        assert_eq!(&std::fs::read_to_string(work.join(path)).unwrap(), text, "{package}: {path}");
    }
}

/// Returns replacements that turn one text into the other, the last first: each quotes as much around it as it needs to be
/// the only one.
fn replacements(path: &str, old: &str, new: &str) -> Vec<Value> {
    let (mut text, new) = (Lines::new(old), Lines::new(new));
    let lines = |lines: &Lines| lines.iter().map(str::to_owned).collect::<Vec<_>>();
    let mut replacements = Vec::new();
    for change in line_changes(&lines(&text), &lines(&new)).into_iter().rev() {
        let middle = new.slice(change.after);
        let quoted = |around: usize| {
            let (from, to) = (change.before.start.saturating_sub(around), change.before.end + around);
            let head = text.slice(from..change.before.start);
            let tail = text.slice(change.before.end..to.min(text.len()));
            (text.slice(from..to.min(text.len())).to_owned(), [head, middle, tail].concat())
        };
        let is_only = |before: &str| !before.is_empty() && text.text().matches(before).count() == 1;
        let (before, after) = (0..=text.len()).map(quoted).find(|(before, _)| is_only(before)).unwrap();
        replacements.push(json!({"path": path, "before": before, "after": after}));
        let made =
            [text.slice(0..change.before.start), middle, text.slice(change.before.end..text.len())].concat();
        text = Lines::new(made);
    }
    replacements
}

type Files = BTreeMap<String, String>;

/// Returns the files of both versions; says that the test is skipped where they are not installed.
fn versions(package: &str) -> Option<(Files, Files)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools =
        std::env::var_os("KKCODE_TEST_TOOLS").map_or_else(|| repository.join("target/tools"), PathBuf::from);
    let packages = tools.join("packages/node_modules");
    let version = |version: &str| {
        let root = packages.join(format!("{package}-{version}"));
        let mut files = Files::new();
        gather(&root, &root, &mut files).ok().map(|()| files)
    };
    let versions = version("old").zip(version("new"));
    if versions.is_none() {
        let line = format!(
            "SKIPPED: {package}_becomes_its_next_version: tests/install/packages has not put it here\n"
        );
        match std::env::var_os("KKCODE_TEST_SKIPS") {
            Some(skips) => {
                let mut skips = std::fs::OpenOptions::new().append(true).create(true).open(skips).unwrap();
                skips.write_all(line.as_bytes()).unwrap();
            }
            None => std::io::stderr().write_all(line.as_bytes()).unwrap(),
        }
    }
    versions
}

fn gather(root: &Path, folder: &Path, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(root, &path, files)?;
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text);
        }
    }
    Ok(())
}
