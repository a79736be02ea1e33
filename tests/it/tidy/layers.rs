//! Who may depend on whom.

use std::process::Command;

use serde::Deserialize;

use super::{assert_found, assert_none, root};

/// What one crate may have in `[dependencies]`.
struct Layer {
    package: &'static str,
    /// Our own crates that it may use.
    ours: &'static [&'static str],
    others: Others,
    /// Said when the rule is broken.
    because: &'static str,
}

/// Which crates of other people a layer may have.
enum Others {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

const LAYERS: &[Layer] = &[
    Layer {
        package: "kkcode-core",
        ours: &[],
        others: Others::Only(&[
            "imara-diff",
            "percent-encoding",
            "ropey",
            "serde",
            "serde-saphyr",
            "sha2",
            "similar",
            "thiserror",
            "tree-sitter",
            "tree-sitter-bash",
        ]),
        because: "invariant 1: core decides, without clock, randomness, files, network, threads or wire formats",
    },
    Layer {
        package: "kkcode-provider",
        ours: &[],
        others: Others::AllBut(&["lsp-types", "tower-lsp", "tower", "rusqlite", "ropey", "rustix"]),
        because: "invariant 2: provider knows no tools, files or LSP",
    },
    Layer {
        package: "kkcode-store",
        ours: &["kkcode-core"],
        others: Others::AllBut(&["lsp-types", "tower-lsp", "tower", "reqwest"]),
        because: "invariant 2: store knows no agent",
    },
    Layer {
        package: "kkcode-agent",
        ours: &["kkcode-core", "kkcode-provider", "kkcode-store"],
        others: Others::AllBut(&["lsp-types", "tower-lsp", "tower", "rusqlite", "clap"]),
        because: "invariant 2: agent knows no LSP, and reaches SQLite through store",
    },
    Layer {
        package: "kkcode-lsp",
        ours: &["kkcode-agent", "kkcode-core", "kkcode-protocol"],
        others: Others::AllBut(&["reqwest", "rusqlite"]),
        because: "lsp speaks; agent reaches models and the store for it",
    },
    Layer {
        package: "kkcode-protocol",
        ours: &[],
        others: Others::AllBut(&["lsp-types", "tower-lsp", "tower", "tokio", "rusqlite", "reqwest"]),
        because: "invariant 2: protocol is types for the wire and nothing else",
    },
    Layer {
        package: "kkcode-tests",
        ours: &["kkcode-protocol"],
        others: Others::AllBut(&["tower-lsp"]),
        because: "tests see the server as a process, as an editor does",
    },
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace, as `cargo metadata` shows it.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) license: Option<String>,
    dependencies: Vec<Dependency>,
}

impl Package {
    /// Returns a package that exists only for a companion test.
    pub(super) fn sample(name: &str, license: Option<&str>) -> Self {
        Self { name: name.to_owned(), license: license.map(str::to_owned), dependencies: Vec::new() }
    }
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent for an ordinary dependency, else `dev` or `build`.
    kind: Option<String>,
}

/// Returns the members of the workspace.
pub(super) fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    metadata.packages
}

/// Returns what `package` depends on and must not; development dependencies are its own affair.
fn forbidden_dependencies(package: &Package) -> Vec<String> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.package == package.name) else {
        return vec![format!("{}: a new crate needs a row in tests/it/tidy/layers.rs", package.name)];
    };
    let allowed = |name: &str| {
        layer.ours.contains(&name)
            || !name.starts_with("kkcode-")
                && match layer.others {
                    Others::Only(list) => list.contains(&name),
                    Others::AllBut(list) => !list.contains(&name),
                }
    };
    let ordinary = package.dependencies.iter().filter(|dependency| dependency.kind.is_none());
    ordinary
        .filter(|dependency| !allowed(&dependency.name))
        .map(|dependency| {
            format!("{} must not depend on {} ({})", package.name, dependency.name, layer.because)
        })
        .collect()
}

#[test]
fn each_crate_depends_only_on_what_its_layer_may_know() {
    let packages = packages();
    assert_eq!(packages.len(), LAYERS.len(), "every row of LAYERS is a member of the workspace");
    let findings: Vec<_> = packages.iter().flat_map(forbidden_dependencies).collect();
    assert_none(&findings);
}

#[test]
fn a_forbidden_dependency_is_found() {
    let findings = |name: &str, dependency: &str, kind: Option<&str>| {
        let dependency = Dependency { name: dependency.to_owned(), kind: kind.map(str::to_owned) };
        forbidden_dependencies(&Package { dependencies: vec![dependency], ..Package::sample(name, None) })
    };
    for (package, dependency) in [
        ("kkcode-core", "tokio"),
        ("kkcode-core", "an-unknown-one"),
        ("kkcode-core", "kkcode-protocol"),
        ("kkcode-provider", "kkcode-core"),
        ("kkcode-store", "kkcode-agent"),
        ("kkcode-agent", "lsp-types"),
        ("kkcode-agent", "kkcode-protocol"),
        ("kkcode-protocol", "lsp-types"),
        ("kkcode-tests", "kkcode-agent"),
    ] {
        assert_found(
            &findings(package, dependency, None),
            &format!("{package} must not depend on {dependency}"),
        );
    }
    assert_found(&findings("kkcode-new", "serde", None), "needs a row");
    assert_none(&findings("kkcode-core", "proptest", Some("dev")));
    assert_none(&findings("kkcode-core", "ropey", None));
}
