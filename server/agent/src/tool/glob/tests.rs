use serde_json::json;

use crate::tool::tests::World;

fn world() -> World {
    World::new(&[
        (".gitignore", "*.log\n/target\n"),
        (".git/config", ""),
        (".github/ci.yml", ""),
        ("a.rs", ""),
        ("src/b.rs", ""),
        ("src/deep/c.rs", ""),
        ("src/x.log", ""),
        ("target/d.rs", ""),
    ])
}

#[test]
fn files_are_found_that_no_ignore_file_leaves_out() {
    let mut world = world();
    let mut glob = |pattern: &str| world.call("glob", json!({"pattern": pattern})).unwrap();
    assert_eq!(glob("*.rs"), "a.rs\nsrc/b.rs\nsrc/deep/c.rs");
    assert_eq!(glob("src/*.rs"), "src/b.rs");
    assert_eq!(glob("/*.rs"), "a.rs");
    assert_eq!(glob("**/{b,c}.rs"), "src/b.rs\nsrc/deep/c.rs");
    assert_eq!(glob("*.log"), "(no file matches)");
    assert_eq!(glob("*.yml"), "(no file matches)");
    assert_eq!(glob(".github/*"), ".github/ci.yml");
    assert_eq!(glob(".git/*"), "(no file matches)");
}

#[test]
fn a_search_sees_what_is_proposed() {
    let mut world = world();
    world.call("write", json!({"path": "src/new.rs", "content": "n"})).unwrap();
    let below = json!({"pattern": "*.rs", "path": "src"});
    assert_eq!(world.call("glob", below).unwrap(), "src/b.rs\nsrc/deep/c.rs\nsrc/new.rs");
    world.delete("src/b.rs");
    assert_eq!(world.call("glob", json!({"pattern": "src/*"})).unwrap(), "src/new.rs");
}

#[test]
fn an_answer_is_bounded_and_says_how_to_go_on() {
    let files: Vec<String> = (0..300).map(|n| format!("f{n:03}.txt")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), "")).collect();
    let mut world = World::new(&files);
    let found = world.call("glob", json!({"pattern": "*.txt"})).unwrap();
    assert!(found.ends_with("f199.txt\n(1 to 200 of 300 paths; go on with offset 200)"), "{found}");
    let rest = world.call("glob", json!({"pattern": "*.txt", "offset": 299})).unwrap();
    assert_eq!(rest, "f299.txt\n(300 to 300 of 300 paths)");
    assert!(world.call("glob", json!({"pattern": "{"})).unwrap_err().contains("the pattern is not right"));
    assert!(
        world.call("glob", json!({"pattern": "*", "path": "none"})).unwrap_err().contains("does not exist")
    );
}
