//! `mkdir`: makes an empty folder.

use serde::Deserialize;
use serde_json::{Value, json};

use super::everything::{Plan, act, real};
use super::{Context, Kind, Outcome, Tool};
use crate::place::{Place, make_folders};

pub(super) const TOOL: Tool = Tool {
    name: "mkdir",
    description: "Make the empty folder `path`, and those above it. It is not needed for a new file: `write` brings its \
                  folders along.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"}
        },
        "required": ["path"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { path } = super::input("mkdir", input)?;
    let path = ctx.path(&path)?;
    let name = ctx.name(&path);
    if path.is_dir() {
        return Err(format!("{name} is a folder already"));
    }
    let real = real(ctx, &path)?;
    let plan = Plan {
        tool: "mkdir",
        title: format!("make the folder {name}"),
        reads: Vec::new(),
        writes: vec![path],
    };
    Ok(act(plan, move || {
        let mut made = Vec::new();
        let failed = |error| format!("{name} was not made: {error}");
        make_folders(&real, &mut made).and_then(|()| Place::at(&real)?.create_folder()).map_err(failed)?;
        Ok(format!("made the folder {name}"))
    }))
}

#[cfg(test)]
mod tests {
    use kkcode_core::turn::Level;
    use serde_json::json;

    use crate::tool::tests::World;

    #[test]
    fn a_folder_is_made_with_those_above_it_when_the_level_says_so() {
        let mut world = World::new(&[("x.txt", "x\n")]);
        let refusal = world.call("mkdir", json!({"path": "a/b"})).unwrap_err();
        assert!(refusal.contains("waits for the gate"), "{refusal}");
        assert!(!world.path("a").exists());
        world.level(Level::AcceptEdits);
        assert_eq!(world.call("mkdir", json!({"path": "a/b"})).unwrap(), "made the folder a/b");
        assert!(world.path("a/b").is_dir());
        for (path, expected) in [
            ("a/b", "already"),
            ("x.txt", "not made"),
            ("../x", "outside of the workspace"),
            (".git/x", "waits for the gate"),
        ] {
            let refusal = world.call("mkdir", json!({"path": path})).unwrap_err();
            assert!(refusal.contains(expected), "{path}: {refusal}");
        }
    }
}
