use super::*;
use crate::permission::ground_for_tests::frame;

fn at(spelling: &str) -> Standing {
    let (ground, disk) = frame();
    let disk = disk
        .link("/ws/notes.txt", "/home/user/.ssh/id_ed25519")
        .link("/ws/out", "/srv")
        .link("/ws/in", "src")
        .link("/ws/loop", "/ws/loop")
        .link("/ws/settings", ".vscode/settings.json");
    standing(&ground, &disk, &ground.cwd, spelling)
}

#[test]
fn what_is_inside_may_be_read() {
    for inside in
        ["a.txt", "./src/../a", "/ws", "/ws/src/main.rs", "in/x", "src/..", ".gitignore", "new/file"]
    {
        assert!(at(inside).may_be_read(), "{inside}");
    }
    for outside in [
        "..",
        "/ws/..",
        "src/../../x",
        "/ws-evil/a",
        "/ws//../x",
        "//etc/passwd",
        "notes.txt",
        "out/x",
        "in/../../x",
        "loop",
        "/proc/self/root/ws/a",
        "/proc/self/cwd/a",
        "/dev/fd/3",
        "/home/user/a",
        "file:///etc/passwd/../../../../../x",
        ".git/config",
        ".env",
        ".env.local",
        "k.pem",
        "/WS/a",
    ] {
        assert!(!at(outside).may_be_read(), "{outside}");
    }
    assert!(at(".env.example").may_be_edited());
}

#[test]
fn protected_names_are_protected_in_every_spelling() {
    for name in [
        ".git/hooks/pre-commit",
        ".GIT/config",
        ".vscode/settings.json",
        ".VSCODE/x",
        "a/b/.husky/x",
        ".cargo/config.toml",
        "x.code-workspace",
        ".mcp.json",
        ".cursor/mcp.json",
        ".envrc",
        ".env",
        ".bashrc",
        "./.git./config",
        "settings",
        ".git::$DATA/config",
        "git~1/config",
        ".g\u{200c}it/config",
        "x/../.vscode/tasks.json",
        ".vscode/new/deep",
    ] {
        assert!(at(name).protected, "{name}");
    }
    for name in ["src/main.rs", ".gitignore", ".kkcode/worktrees/a", "vscode/x", "a.env", ".github/x"] {
        assert!(!at(name).protected, "{name}");
    }
    assert!(at(".GITHUB/workflows/ci.yml").asked);
}

#[test]
fn homes_secrets_and_the_system_are_known() {
    for path in
        ["/home/user/.ssh/id_rsa", "/home/other/.aws/credentials", "/root/.netrc", "/Users/x/.kube/config"]
    {
        assert!(at(path).secret, "{path}");
    }
    assert!(at("/home/user/.kkcode/config.yaml").own && at("/home/user/.local/state/agent/tasks.db").own);
    assert!(at("/home/user/.bashrc").home_dot && !at("/home/user/.cache/x").home_dot);
    for path in ["/", "/home", "/home/user", "/home/user/"] {
        assert!(at(path).home, "{path}");
    }
    assert!(at("..").above && at("/ws").above && !at("src").above);
    for path in ["/etc/hosts", "/usr/bin/bwrap", "/dev/sda", "/proc/sys/kernel/x", "/opt"] {
        assert!(at(path).system, "{path}");
    }
    for path in ["/dev/null", "/tmp/x", "/dev/tcp/1.2.3.4/80", "/home/user/x", "/ws/etc/x"] {
        assert!(!at(path).system, "{path}");
    }
    assert!(
        at("/dev/sda").device && !at("/dev/null").device && at("/tmp/x").temporary && !at("/tmp").temporary
    );
}

#[test]
fn a_way_through_a_process_leads_where_the_process_stands() {
    for path in [
        "/proc/self/root/home/user/.ssh/id_rsa",
        "/proc/1/root/home/user/.ssh/id_rsa",
        "/proc/self/task/1/root/home/user/.ssh/id_rsa",
    ] {
        assert!(at(path).secret && !at(path).inside, "{path}");
    }
    // What a link leads to has another folder above it.
    assert!(!at("/proc/self/cwd/../a").inside);
    assert!(at("/proc/self/cwd/.git/config").protected && !at("/proc/self/cwd/a.txt").inside);
}

#[test]
fn a_pattern_that_may_stand_for_keys_is_known() {
    let (ground, _) = frame();
    let names = |pattern: &str| names_secrets(&ground, Path::new(pattern));
    for pattern in [
        "/home/user/.s*h/id_rsa",
        "/home/user/.ss?/x",
        "/home/user/.a?s/x",
        "/home/user/.*/x",
        "/home/user/x/../.ssh*",
    ] {
        assert!(names(pattern), "{pattern}");
    }
    for pattern in ["/home/user/*", "/home/user/*/id_rsa", "/ws/.s*h", "/home/user/.x*"] {
        assert!(!names(pattern), "{pattern}");
    }
}

#[test]
fn a_workspace_in_a_home_or_a_temporary_folder_is_a_workspace() {
    let (mut ground, disk) = frame();
    ground.folders = vec!["/tmp/t/ws".into(), "/home/user/.dotfiles".into()];
    let at = |spelling: &str| standing(&ground, &disk, Path::new("/tmp/t/ws"), spelling);
    assert!(at("a").may_be_edited() && at("..").above && at("../..").above);
    assert!(at("/home/user/.dotfiles/a").may_be_edited());
    assert!(!at("/home/user/.dotfiles/a").home_dot);
}
