//! E-12: kinds of paths. What a path means is decided by where it leads, and nothing outside of the workspace is touched.

use std::fs;

use serde_json::json;

use super::World;

fn read(world: &mut World, path: &str) -> Result<String, String> {
    world.call("read", json!({ "path": path }))
}

fn write(world: &mut World, path: &str) -> Result<String, String> {
    world.call("write", json!({"path": path, "content": "new\n"}))
}

#[test]
fn e12_a_path_inside_is_taken_however_it_is_written() {
    let mut world = World::new(&[("dir/x.txt", "x\n")]);
    let absolute = world.path("dir/x.txt").display().to_string();
    for path in ["dir/x.txt", "./dir/x.txt", "dir//x.txt", "dir/../dir/x.txt", "none/../dir/x.txt", &absolute]
    {
        assert!(read(&mut world, path).unwrap().starts_with("     1→x"), "{path}");
    }
}

#[test]
fn e12_a_path_outside_is_refused_by_every_tool() {
    let mut world = World::new(&[("x.txt", "x\n")]);
    for path in ["..", "../y.txt", "/etc/hostname", "dir/../../y.txt"] {
        for (tool, input) in [
            ("read", json!({"path": path})),
            ("list", json!({"path": path})),
            ("write", json!({"path": path, "content": "x"})),
            ("edit", json!({"path": path, "before": "x", "after": "y"})),
            ("patch", json!({"path": path, "start_line": 1, "end_line": 1, "content": "x"})),
            ("multiedit", json!({"changes": [{"path": path, "after": "x"}]})),
            ("notebookedit", json!({"path": path, "new_source": "x"})),
            ("glob", json!({"path": path, "pattern": "*"})),
            ("grep", json!({"path": path, "pattern": "x"})),
        ] {
            let refusal = world.call(tool, input).unwrap_err();
            assert!(refusal.contains("outside of the workspace folders"), "{tool} {path}: {refusal}");
        }
    }
}

#[cfg(unix)]
#[test]
fn e12_a_link_leads_where_it_leads() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret\n").unwrap();
    let mut world = World::new(&[("dir/x.txt", "x\n")]);
    symlink(outside.path().join("secret"), world.path("file")).unwrap();
    symlink(outside.path(), world.path("folder")).unwrap();
    symlink(outside.path().join("not there"), world.path("nothing")).unwrap();
    symlink(world.path("dir"), world.path("inside")).unwrap();
    for path in ["file", "folder/secret", "folder/new.txt", "folder/new/new.txt"] {
        assert!(read(&mut world, path).unwrap_err().contains("outside of the workspace"), "{path}");
        assert!(write(&mut world, path).unwrap_err().contains("outside of the workspace"), "{path}");
    }
    assert!(write(&mut world, "nothing").is_err(), "a link to nothing would make its target");
    assert!(read(&mut world, "inside/x.txt").is_ok());
    let found = world.call("grep", json!({"pattern": "secret"})).unwrap();
    assert_eq!(found, "(nothing matches)", "a search follows no link");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn e12_names_that_look_alike_are_not_taken_for_each_other() {
    let (composed, decomposed) = ("caf\u{e9}.txt", "cafe\u{301}.txt");
    let mut world =
        World::new(&[(decomposed, "d\n"), ("name.", "dot\n"), ("name ", "blank\n"), ("NUL", "n\n")]);
    // The file system decides whether both are one file, as it does for other programs.
    let is_one_file = world.path(composed).exists();
    assert_eq!(read(&mut world, composed).is_ok(), is_one_file);
    if !is_one_file {
        write(&mut world, composed).unwrap();
        assert_eq!(world.seen(composed).as_deref(), Some("new\n"));
    }
    assert_eq!(world.seen(decomposed).as_deref(), Some("d\n"));
    #[cfg(unix)]
    for (name, text) in [("name.", "dot"), ("name ", "blank"), ("NUL", "n")] {
        assert!(read(&mut world, name).unwrap().starts_with(&format!("     1→{text}")), "{name}");
        assert!(read(&mut world, "name").is_err());
    }
}
