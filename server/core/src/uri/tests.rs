use super::*;

fn unix(uri: &str) -> Option<PathBuf> {
    to_path(uri, PathStyle::Unix)
}

fn windows(uri: &str) -> Option<PathBuf> {
    to_path(uri, PathStyle::Windows)
}

#[test]
fn unix_uris_in_every_spelling() {
    for (uri, path) in [
        ("file:///a/b.rs", "/a/b.rs"),
        ("FILE:///a/b.rs", "/a/b.rs"),
        ("file:/a/b.rs", "/a/b.rs"),
        ("file://localhost/a/b.rs", "/a/b.rs"),
        ("file:///a/with space/ü.rs", "/a/with space/ü.rs"),
        ("file:///a/with%20space/%C3%BC.rs", "/a/with space/ü.rs"),
        ("file:///a/%c3%bc", "/a/ü"),
        ("file:///a/100%25", "/a/100%"),
        ("file:///a%2Fb", "/a/b"),
        ("file:///a/x%23y?version=1#frag", "/a/x#y"),
        ("file:///c%3A/x", "/c:/x"),
        ("file:///a/b/", "/a/b/"),
    ] {
        assert_eq!(unix(uri).as_deref(), Some(Path::new(path)), "{uri}");
    }
}

#[test]
fn windows_drive_letters_in_every_spelling() {
    for uri in [
        "file:///C:/x/y.rs",
        "file:///c:/x/y.rs",
        "file:///c%3A/x/y.rs",
        "file:///C%3a/x/y.rs",
        "file:///c|/x/y.rs",
    ] {
        assert_eq!(windows(uri), Some(PathBuf::from("C:\\x\\y.rs")), "{uri}");
    }
    assert_eq!(windows("file://host/share/x"), Some(PathBuf::from("\\\\host\\share\\x")));
    assert_eq!(windows("file:///x/y"), None);
    assert_eq!(windows("file:///c:"), Some(PathBuf::from("C:\\")));
}

#[test]
fn what_is_no_local_file_has_no_path() {
    for uri in [
        "untitled:Untitled-1",
        "git:/a/b?ref",
        "vscode-remote://wsl/a",
        "file://host/a",
        "file:a",
        "",
        "nonsense",
        "file:///a%00b",
    ] {
        assert_eq!(unix(uri), None, "{uri}");
    }
}

#[test]
fn a_path_comes_back_from_its_uri() {
    for path in ["/a/b.rs", "/with space/ü/日本.rs", "/100%/#?[]{}.rs", "/c:/x", "/a\\b"] {
        let uri = from_path(Path::new(path), PathStyle::Unix);
        assert!(uri.is_ascii(), "{uri}");
        assert_eq!(unix(&uri).as_deref(), Some(Path::new(path)), "{uri}");
    }
    for path in ["C:\\x\\ü y.rs", "\\\\host\\share\\x"] {
        let uri = from_path(Path::new(path), PathStyle::Windows);
        assert_eq!(windows(&uri).as_deref(), Some(Path::new(path)), "{uri}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/caf\xe9.txt"));
    let uri = from_path(path, PathStyle::Unix);
    assert_eq!(uri, "file:///caf%E9.txt");
    assert_eq!(unix(&uri).as_deref(), Some(path));
}
