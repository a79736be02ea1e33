//! The same view made by bubblewrap, for systems that let it make namespaces and not us.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Confine, Spec};

use super::mounts::TEMPORARY;

/// Where bubblewrap is installed. It is not looked for in `PATH`, which may lead into a workspace.
const PROGRAMS: [&str; 2] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap"];

/// Returns the installed bubblewrap.
pub(super) fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| Path::new(program).exists())
}

/// Returns bubblewrap's command, up to the helper's own arguments. Its mounts alone hold what is promised of writing.
pub(super) fn command(spec: &Spec, confine: &Confine, sockets: &[PathBuf]) -> Result<Command, String> {
    let program = program().ok_or("bubblewrap is not installed")?;
    if !confine.layers.is_empty() {
        return Err("this bubblewrap makes no copy-on-write layers".to_owned());
    }
    let helper = std::env::current_exe().map_err(|error| format!("where the helper is: {error}"))?;
    let mut arguments = Arguments(Vec::new());
    arguments.add(["--die-with-parent", "--as-pid-1", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]);
    if !confine.network {
        arguments.add(["--unshare-net"]);
    }
    arguments.add(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    arguments.bind("--bind", &confine.temporary, Path::new(TEMPORARY));
    for hidden in confine.hidden.iter().filter(|hidden| hidden.exists()) {
        arguments.hide(hidden);
    }
    for visible in confine.visible.iter().chain([&helper, &spec.cwd]).filter(|visible| visible.exists()) {
        let covered =
            visible.starts_with(TEMPORARY) || confine.hidden.iter().any(|hidden| visible.starts_with(hidden));
        if covered {
            arguments.bind("--ro-bind", visible, visible);
        }
    }
    for writable in confine.writable.iter().filter(|writable| writable.exists()) {
        arguments.bind("--bind", writable, writable);
        let inside = |hidden: &&PathBuf| hidden.starts_with(writable) && hidden.exists();
        for hidden in confine.hidden.iter().filter(inside) {
            arguments.hide(hidden);
        }
    }
    for path in confine.read_only.iter().filter(|path| path.exists()) {
        arguments.bind("--ro-bind", path, path);
    }
    let is_seen = |socket: &&PathBuf| {
        let gone = confine.hidden.iter().any(|hidden| socket.starts_with(hidden));
        !gone && !socket.starts_with(TEMPORARY) && !socket.starts_with("/dev")
    };
    for socket in sockets.iter().filter(is_seen) {
        arguments.bind("--ro-bind", Path::new("/dev/null"), socket);
    }
    arguments.add(["--chdir", "/", "--"]);
    let mut command = Command::new(program);
    command.args(arguments.0).arg(helper);
    Ok(command)
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<const N: usize>(&mut self, arguments: [&str; N]) {
        self.0.extend(arguments.map(OsString::from));
    }

    fn bind(&mut self, kind: &str, from: &Path, to: &Path) {
        self.0.extend([OsStr::new(kind), from.as_os_str(), to.as_os_str()].map(OsStr::to_owned));
    }

    fn hide(&mut self, path: &Path) {
        if path.is_dir() {
            self.0.extend([OsString::from("--tmpfs"), path.into()]);
            self.0.extend([OsString::from("--remount-ro"), path.into()]);
        } else {
            self.bind("--ro-bind", Path::new("/dev/null"), path);
        }
    }
}
