//! Real input: an agent turns one published version of a package into the next, and every hunk is accepted, in no order.

use std::collections::BTreeMap;
use std::io::Write as _;

use kkcode_core::diff::line_changes;
use kkcode_core::edits::{Side, edited_text};
use kkcode_core::lines::{Lines, TextHash};
use kkcode_core::placement::{Found, Holds, Placement, Texts};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, NewHunk, Verdict, hunk_id};
use serde_json::{Value, json};

use super::*;
use crate::overlay;

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

/// Half of what changed between the versions was typed by the user, the other half is proposed (E-09): taking it gives the
/// new version, or is refused; it never goes wrong.
#[test]
fn what_is_proposed_fits_a_text_in_which_the_user_has_typed_the_other_half() {
    let (mut hunks, mut refused) = (0, 0);
    for package in ["chalk", "commander", "yaml"] {
        let Some((old, new)) = versions(package) else { return };
        for (path, new) in &new {
            let Some(old) = old.get(path).filter(|old| *old != new) else { continue };
            let base = Lines::new(old.as_str());
            let file = file_change(path, &base, &overlay::hunks(&base, new));
            let texts = Texts::from([(file.base.clone(), Arc::new(base.clone()))]);
            for round in 0..2 {
                let is_typed = |hunk: &HunkId| {
                    let index = file.hunks.iter().position(|known| known.id == *hunk).unwrap();
                    (index + round) % 2 == 0
                };
                let (typed, proposed) = (|hunk: &_| is_typed(hunk), |hunk: &_| !is_typed(hunk));
                let now = taken(&file, &texts, &base, typed);
                let half = file.hunks.iter().filter(|hunk| proposed(&hunk.id)).cloned().collect();
                let half = FileChange { hunks: half, ..file.clone() };
                let now = Lines::new(now);
                let placement = Placement::derive(&half, &texts, Found::Buffer(&now), |_| false);
                let lost = placement.places().filter(|place| place.holds == Holds::Neither).count();
                hunks += half.hunks.len();
                refused += lost;
                if lost == 0 {
                    assert_eq!(
                        taken(&half, &texts, &now, |_| true),
                        *new,
                        "{package}: {path}, round {round}"
                    );
                }
            }
        }
    }
    assert!(hunks > 200, "{hunks} hunks were looked at");
    assert!(refused * 50 <= hunks, "{refused} of {hunks} were refused; at most 2 % may be");
}

/// Returns a text with those hunks of a file in it that are wanted.
fn taken(file: &FileChange, texts: &Texts, text: &Lines, wanted: impl Fn(&HunkId) -> bool) -> String {
    let placement = Placement::derive(file, texts, Found::Buffer(text), |_| false);
    edited_text(text, file, &placement, texts, |hunk| wanted(hunk).then_some(Side::New))
}

fn file_change(path: &str, base: &Lines, hunks: &[NewHunk]) -> FileChange {
    let hash = TextHash::of(base.text());
    let hunk = |(ordinal, new): (usize, &NewHunk)| Hunk {
        id: hunk_id(&ProposalId::new("p"), Path::new(path), new, ordinal),
        turn: TurnId::new("t"),
        kind: ChangeKind::Modify,
        base: hash.clone(),
        old: new.old.clone(),
        old_text: new.old_text.clone(),
        new_text: new.new_text.clone(),
        over: None,
        split_from: None,
        rejected_before: false,
        verdict: Verdict::Undecided,
        told: false,
    };
    let hunks = hunks.iter().enumerate().map(hunk).collect();
    FileChange { path: path.into(), base: hash.clone(), hunks }
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

pub(crate) type Files = BTreeMap<String, String>;

/// Returns the files of both versions; says that the test is skipped where they are not installed.
pub(crate) fn versions(package: &str) -> Option<(Files, Files)> {
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
