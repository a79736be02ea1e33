//! `demo`: the whole journey in half a minute, with a model that plays a script. No key, no network.

mod editor;
mod next;
mod server;
mod show;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::Output;
use editor::Editor;
use server::Server;
use show::Show;

/// What the user of the demo asks.
const PROMPT: &str = "Items can have a quantity. Count it.";

const SHOP: &str = "shop.py";
const README: &str = "README.md";

/// The sample project.
const PROJECT: [(&str, &str); 2] =
    [(SHOP, include_str!("demo/sample/shop.py")), (README, include_str!("demo/sample/README.md"))];

/// The home of the demo: a model that plays a script.
const HOME: [(&str, &str); 2] = [
    ("config.yaml", "provider:\n  demo: {type: scripted, script: script.yaml}\n"),
    ("script.yaml", include_str!("demo/sample/script.yaml")),
];

/// What the user types while the hunks wait.
const TYPED: &str = "CURRENCY = \"EUR\"\n";

/// Show the whole journey on a sample project, with a model that plays a script.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the sample project and the demo's home in this new folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// A folder that goes with the demo, unless it is to be kept.
struct Place {
    root: PathBuf,
    keep: bool,
}

/// Does it.
pub(crate) fn run(demo: Demo, output: Output) -> ExitCode {
    ExitCode::from(output.end(play(demo, output).map(|()| 0)))
}

fn play(demo: Demo, output: Output) -> Result<(), Failure> {
    let place = Place::make(demo.keep)?;
    let mut show = Show::new(output);
    let told = journey(&place, &mut show)?;
    show.facts(&told)?;
    next::steps(&mut show, place.keep.then_some(place.root.as_path()))
}

/// Plays the journey and returns its facts, for programs.
fn journey(place: &Place, show: &mut Show) -> Result<Value, Failure> {
    show.title()?;
    let mut editor = Editor::open(Server::start(place)?, &place.work(), SHOP)?;

    show.step("You ask", PROMPT)?;
    let turn = editor.ask(PROMPT)?;
    show.step("The agent works", "(a script plays the model; all else is real)")?;
    let proposal = editor.follow(&turn, show)?;

    let proposed = editor.proposal(&proposal)?;
    show.step("It proposes", "four hunks; not a byte of your files has changed")?;
    show.proposal(&proposed)?;
    unchanged(place)?;

    show.step("You go on typing", "and the hunks move along")?;
    let before = editor.lines_of(&proposal, SHOP)?;
    editor.type_line(0, TYPED)?;
    let after = editor.lines_of(&proposal, SHOP)?;
    show.typed(TYPED, &before, &after)?;

    show.step("You decide", "hunk by hunk, by ordinary code actions")?;
    let mut decided = Vec::new();
    let first = editor.accept_at(after.first().copied().unwrap_or_default())?;
    decided.push(show.decided("accepted", &first, "by the editor: undo takes it back")?);
    let second = editor.reject(&proposal, SHOP, 1, "nobody asked for rounding")?;
    decided.push(show.decided("rejected", &second, "the agent is told: nobody asked for rounding")?);

    show.step("The server is killed", "kill -9, in the middle of the review")?;
    let mut editor = editor.crash(place)?;
    let waiting = editor.pending(&proposal)?;
    show.line(&format!("A new server is there: {waiting} hunks still wait, each in its place."))?;

    show.step("You decide the rest", "")?;
    let last = editor.lines_of(&proposal, SHOP)?.last().copied().unwrap_or_default();
    let third = editor.accept_at(last)?;
    decided.push(show.decided("accepted", &third, "by the editor")?);
    let fourth = editor.accept_file(&proposal, README)?;
    decided.push(show.decided(
        "accepted",
        &fourth,
        "not open: the server writes the file, all or nothing",
    )?);
    editor.save()?;
    let text = editor.close()?;

    show.step("The file", "your line, two hunks of the agent's, and not the third")?;
    show.file(SHOP, &text, TYPED, &decided)?;
    Ok(
        json!({"prompt": PROMPT, "proposal": proposed, "decided": decided, "file": {"path": SHOP, "text": text}}),
    )
}

/// Makes sure that what the demo says is so.
fn unchanged(place: &Place) -> Result<(), Failure> {
    for (name, text) in PROJECT {
        if fs::read_to_string(place.work().join(name)).map_err(|error| broken(&error))? != text {
            return Err(broken(&format!("{name} has changed before anything was accepted")));
        }
    }
    Ok(())
}

/// The failure of a demo that does not go as it should.
fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new("demo", format!("the demo broke off: {error}; this is a fault of ours"))
}

impl Place {
    /// Makes the folder with the project and the home in it.
    fn make(keep: Option<PathBuf>) -> Result<Self, Failure> {
        let failed = |path: &Path, error: std::io::Error| {
            Failure::new("demo", format!("the folder {} cannot be made: {error}", path.display()))
        };
        let (root, keep) = match keep {
            Some(root) => (root, true),
            None => (std::env::temp_dir().join(format!("kkcode-demo-{}", std::process::id())), false),
        };
        if fs::read_dir(&root).is_ok_and(|mut entries| entries.next().is_some()) {
            let message = format!("{} is not empty; name a new folder", root.display());
            return Err(Failure::usage(message));
        }
        fs::create_dir_all(&root).map_err(|error| failed(&root, error))?;
        let root = root.canonicalize().map_err(|error| failed(&root, error))?;
        // From here on it is removed again if something fails.
        let place = Self { root, keep };
        for (folder, files) in [(place.work(), &PROJECT), (place.home(), &HOME)] {
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
            for (name, text) in files {
                fs::write(folder.join(name), text).map_err(|error| failed(&folder, error))?;
            }
        }
        Ok(place)
    }

    fn work(&self) -> PathBuf {
        self.root.join("shop")
    }

    fn home(&self) -> PathBuf {
        self.root.join("home")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.root)
        {
            tracing::warn!(folder = %self.root.display(), %error, "the demo's folder is left");
        }
    }
}
