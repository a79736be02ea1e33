use super::*;

#[test]
fn what_is_no_text_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    let folders = [dir.path().to_owned()];
    for bytes in [&b"caf\xe9"[..], b"a\0b", b"\xff\xfea\0"] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path, &folders), Err(FileError::NotText(_))));
    }
    assert!(matches!(read(dir.path(), &folders), Err(FileError::Folder(_))));
    assert!(matches!(read(&dir.path().join("none"), &folders), Err(FileError::Missing(_))));
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
