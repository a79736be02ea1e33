use std::fs;

use kkcode_core::turn::Level;
use serde_json::json;

use crate::tool::tests::World;

#[test]
fn a_text_file_is_proposed_with_the_text_that_the_session_sees() {
    let mut world = World::new(&[("x.txt", "one\n"), ("mark.txt", "\u{feff}one\r\n"), ("y.txt", "why\n")]);
    world.call("edit", json!({"path": "x.txt", "before": "one", "after": "1"})).unwrap();
    let note = world.call("copy", json!({"from": "x.txt", "to": "deep/z.txt"})).unwrap();
    assert_eq!(note, "deep/z.txt has the text of x.txt then");
    assert_eq!(world.seen("deep/z.txt").unwrap(), "1\n");
    assert!(!world.path("deep").exists());
    world.call("copy", json!({"from": "mark.txt", "to": "mark2.txt"})).unwrap();
    assert_eq!(world.seen("mark2.txt").unwrap(), "\u{feff}one\r\n");
    let refusal = world.call("copy", json!({"from": "x.txt", "to": "y.txt"})).unwrap_err();
    assert!(refusal.contains("`overwrite`"), "{refusal}");
    world.call("copy", json!({"from": "x.txt", "to": "y.txt", "overwrite": true})).unwrap();
    assert_eq!(world.seen("y.txt").unwrap(), "1\n");
    let same = json!({"from": "x.txt", "to": "y.txt", "overwrite": true});
    assert!(world.call("copy", same).unwrap_err().contains("so already"));
    assert!(world.call("copy", json!({"from": "x.txt", "to": "x.txt"})).unwrap_err().contains("itself"));
}

#[test]
fn a_secret_is_not_copied_to_where_it_could_be_read() {
    let mut world = World::new(&[(".env", "KEY=secret\n")]);
    for tool in ["copy", "move"] {
        let refused = world.call(tool, json!({"from": ".env", "to": "x.txt"}));
        assert!(refused.is_err(), "{tool}: {refused:?}");
        assert!(world.seen("x.txt").is_none());
    }
}

#[test]
fn a_folder_is_copied_whole_when_the_gate_lets_it() {
    let mut world = World::new(&[("dir/a.txt", "a\n"), ("dir/deep/run.sh", "run\n")]);
    fs::write(world.path("dir/raw.bin"), [0, 159, 146]).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(world.path("dir/deep/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let note = world.call("copy", json!({"from": "dir/deep/run.sh", "to": "run.sh"})).unwrap();
        assert!(note.ends_with("but not its permission to be executed"), "{note}");
    }
    let copy = json!({"from": "dir", "to": "new/copy"});
    assert!(world.call("copy", copy.clone()).unwrap_err().contains("waits for the gate"));
    world.level(Level::AcceptEdits);
    assert_eq!(world.call("copy", copy.clone()).unwrap(), "copied dir to new/copy");
    assert_eq!(fs::read(world.path("new/copy/raw.bin")).unwrap(), [0, 159, 146]);
    assert_eq!(fs::read_to_string(world.path("new/copy/deep/run.sh")).unwrap(), "run\n");
    assert_eq!(fs::read_dir(world.path("new")).unwrap().count(), 1, "nothing is left beside it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(world.path("new/copy/deep/run.sh")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
    assert!(world.call("copy", copy).unwrap_err().contains("there already"));
}
