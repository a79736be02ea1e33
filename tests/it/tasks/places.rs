//! Homes that are not as they should be.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_home_that_may_not_be_written_refuses_and_says_why() {
    let world = World::new(0);
    // Root may write everywhere, unless it has given up the powers that let it.
    let mut command = world.command(&["task", "start", "make it loud"]);
    if rustix::process::geteuid().is_root() {
        let program = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(OsStr::to_owned).collect();
        let mut weakened = Command::new("setpriv");
        weakened.arg("--bounding-set=-dac_override,-dac_read_search").arg(program).args(arguments);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => weakened.env(name, value),
                None => weakened.env_remove(name),
            };
        }
        weakened.current_dir(world.work()).stdin(Stdio::null());
        command = weakened;
    }
    fs::set_permissions(world.home(), fs::Permissions::from_mode(0o500)).unwrap();
    let output = command.output();
    fs::set_permissions(world.home(), fs::Permissions::from_mode(0o700)).unwrap();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip(
                "a_home_that_may_not_be_written_refuses_and_says_why",
                "root may write everywhere, and there is no setpriv",
            );
            return;
        }
        output => output.unwrap(),
    };
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("state.db"));
}

#[test]
fn a_home_with_spaces_and_other_letters_is_a_home() {
    let mut world = World::new(0);
    let dir = tempfile::Builder::new().prefix("kk code ü'\"").tempdir().unwrap();
    for name in ["home", "work"] {
        fs::rename(world.dir.path().join(name), dir.path().join(name)).unwrap();
    }
    world.dir = dir;
    let id = world.start(&[]);
    assert_eq!(world.end(&id)["status"], "completed");
}

#[test]
fn a_home_that_is_a_file_or_full_is_refused_with_a_reason() {
    let world = World::new(0);
    let file = world.dir.path().join("file");
    fs::write(&file, "").unwrap();
    let mut command = world.command(&["task", "start", "make it loud", "--json"]);
    let output = command.env("KKCODE_HOME", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("state.db"), "{errors}");
}

#[test]
fn a_full_disk_is_told_and_what_was_there_stays() {
    let world = World::new(0);
    let id = world.start(&[]);
    world.end(&id);
    world.nothing_is_left();
    // No file may be longer than two pages: as on a full disk, for this command alone.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" task start more --json";
    let mut command = world.command(&[]);
    let mut limited = Command::new("bash");
    limited.args(["-c", script]).arg(&world.program).current_dir(world.work());
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
    let output = limited.output().unwrap();
    command.env_clear();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.show(&id)["status"], "completed");
    let next = world.start(&[]);
    assert_eq!(world.end(&next)["status"], "completed");
}
