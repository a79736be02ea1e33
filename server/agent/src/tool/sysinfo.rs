//! `sysinfo`: tells where the agent runs.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Kind, Outcome, Tool};

pub(super) const TOOL: Tool = Tool {
    name: "sysinfo",
    description: "Tell about the machine and the workspace: operating system, the server itself, workspace folders, \
                  processors, memory, and the disk that `path` is on.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    sections: Option<BTreeSet<Section>>,
    path: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Section {
    Os,
    Runtime,
    Workspace,
    Cpu,
    Memory,
    Disk,
}

const ALL: [Section; 6] =
    [Section::Os, Section::Runtime, Section::Workspace, Section::Cpu, Section::Memory, Section::Disk];

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "sections": {
                "type": "array",
                "items": {"type": "string", "enum": ["os", "runtime", "workspace", "cpu", "memory", "disk"]},
                "description": "what to tell; everything if left out"
            },
            "path": {"type": "string", "description": "a place on the disk to tell about; the workspace if left out"}
        },
        "required": [],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { sections, path } = super::input("sysinfo", input)?;
    let path = path.map(|path| ctx.path(&path)).transpose()?;
    let path = path.or_else(|| ctx.snapshot.folders.first().cloned());
    let mut told = Map::new();
    for section in sections.unwrap_or_else(|| ALL.into()) {
        let (name, value) = match section {
            Section::Os => ("os", os()),
            Section::Runtime => {
                ("runtime", json!({"name": "kkcode-lsp", "version": env!("CARGO_PKG_VERSION")}))
            }
            Section::Workspace => ("workspace", json!({"folders": ctx.snapshot.folders})),
            Section::Cpu => ("cpu", json!({"threads": std::thread::available_parallelism().ok()})),
            Section::Memory => ("memory", memory()),
            Section::Disk => ("disk", path.as_deref().map_or(Value::Null, disk)),
        };
        told.insert(name.to_owned(), value);
    }
    serde_json::to_string_pretty(&told).map(Outcome::Answer).map_err(|error| error.to_string())
}

fn os() -> Value {
    let mut os = json!({"name": std::env::consts::OS, "architecture": std::env::consts::ARCH});
    #[cfg(unix)]
    if let Some(fields) = os.as_object_mut() {
        let kernel = rustix::system::uname();
        fields.insert("release".to_owned(), kernel.release().to_string_lossy().into());
    }
    #[cfg(not(unix))]
    let _ = os.as_object_mut();
    os
}

/// Returns total and available memory in bytes; null where the system does not tell.
fn memory() -> Value {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else { return Value::Null };
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    json!({"totalBytes": bytes("MemTotal"), "availableBytes": bytes("MemAvailable")})
}

/// Returns the size of the disk that a place is on, in bytes; null where the system does not tell.
#[cfg(unix)]
fn disk(path: &Path) -> Value {
    match rustix::fs::statvfs(path) {
        Ok(disk) => json!({
            "path": path,
            "totalBytes": disk.f_blocks.saturating_mul(disk.f_frsize),
            "availableBytes": disk.f_bavail.saturating_mul(disk.f_frsize),
        }),
        Err(_) => Value::Null,
    }
}

#[cfg(not(unix))]
fn disk(_path: &Path) -> Value {
    Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tool::tests::World;

    #[test]
    fn the_sections_that_are_asked_for_are_told() {
        let mut world = World::new(&[]);
        let all: Value = serde_json::from_str(&world.call("sysinfo", json!({})).unwrap()).unwrap();
        assert_eq!(all["os"]["name"], std::env::consts::OS);
        assert_eq!(all["workspace"]["folders"], json!([world.dir.path()]));
        assert!(all["cpu"]["threads"].as_u64().unwrap() > 0);
        #[cfg(target_os = "linux")]
        assert!(
            all["memory"]["totalBytes"].as_u64() >= all["memory"]["availableBytes"].as_u64()
                && all["disk"]["totalBytes"].as_u64() > Some(0)
        );
        let one: Value =
            serde_json::from_str(&world.call("sysinfo", json!({"sections": ["os"]})).unwrap()).unwrap();
        assert_eq!(one.as_object().unwrap().len(), 1);
        assert!(world.call("sysinfo", json!({"sections": ["gpu"]})).unwrap_err().contains("unknown variant"));
        assert!(world.call("sysinfo", json!({"path": "/"})).unwrap_err().contains("outside"));
    }
}
