use super::*;

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode_and_its_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("run.sh"), dir.path().join("link"));
    fs::write(&path, "a\r\nb").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    symlink(&path, &link).unwrap();
    replace(&link, &Lines::new("a\r\nb"), "a\r\nB").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\r\nB");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, "theirs").unwrap();
    let error = replace(&path, &Lines::new("ours"), "new").unwrap_err();
    assert!(matches!(error, FileError::Changed(_)), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_text_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    for bytes in [&b"caf\xe9"[..], b"a\0b", b"\xff\xfea\0"] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Err(FileError::NotText(_))));
    }
    assert!(matches!(read(dir.path()), Err(FileError::Folder(_))));
    assert!(matches!(read(&dir.path().join("none")), Err(FileError::Missing(_))));
}

#[test]
fn paths_stay_in_the_workspace() {
    let dir = tempfile::tempdir().unwrap();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("in.txt"), "").unwrap();
    fs::write(dir.path().join("out.txt"), "").unwrap();
    let folders = [work.clone()];
    assert_eq!(in_workspace("in.txt", &folders).unwrap(), work.join("in.txt"));
    assert_eq!(in_workspace("./a/../in.txt", &folders).unwrap(), work.join("in.txt"));
    assert_eq!(in_workspace(work.join("in.txt").to_str().unwrap(), &folders).unwrap(), work.join("in.txt"));
    for path in ["../out.txt", dir.path().join("out.txt").to_str().unwrap(), "/etc/passwd"] {
        assert!(matches!(in_workspace(path, &folders), Err(FileError::Outside(_))), "{path}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.path().join("out.txt"), work.join("link")).unwrap();
        assert!(matches!(in_workspace("link", &folders), Err(FileError::Outside(_))));
    }
    assert!(matches!(in_workspace("in.txt", &[]), Err(FileError::Outside(_))));
}
