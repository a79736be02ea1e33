//! The sandbox of commands, each way of making it: what really tries to get out stays in.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kkcode_tests::{Binary, skip};
use serde_json::{Value, json};

const NOBODY: u32 = 65534;

/// A way of making the sandbox, and who makes it.
#[derive(Clone, Copy, Debug)]
struct Way {
    namespaces: &'static str,
    as_nobody: bool,
}

const NAMESPACES: [&str; 3] = ["Own", "Bubblewrap", "None"];

/// Every way that this machine has; what it lacks is skipped where it is seen.
fn ways(test: &str) -> Vec<Way> {
    let is_root = rustix::process::geteuid().is_root();
    let users: &[bool] = if is_root { &[false, true] } else { &[false] };
    let all = NAMESPACES
        .iter()
        .flat_map(|namespaces| users.iter().map(|as_nobody| Way { namespaces, as_nobody: *as_nobody }));
    all.filter(|way| {
        let world = World::new(*way);
        let (report, said) = world.run("exit 0");
        let works = report == json!({"Exited": 0});
        if !works {
            skip(test, &format!("{way:?} cannot be made here: {report} {said}"));
        }
        works
    })
    .collect()
}

/// A workspace, a home with a secret in it, and a place outside.
struct World {
    dir: tempfile::TempDir,
    way: Way,
    network: bool,
}

impl World {
    fn new(way: Way) -> Self {
        // Not below /tmp, which the command has of its own.
        let dir = tempfile::Builder::new().prefix("kkcode-sandbox-").tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["ws", "tmp", "home/.ssh", "outside"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("home/.ssh/id"), "SECRET\n").unwrap();
        fs::write(dir.path().join("outside/kept"), "kept\n").unwrap();
        symlink(dir.path().join("outside"), dir.path().join("ws/link")).unwrap();
        symlink(dir.path().join("home/.ssh"), dir.path().join("ws/keys")).unwrap();
        let world = Self { dir, way, network: false };
        if way.as_nobody {
            let paths = ["", "ws", "tmp", "home", "home/.ssh", "home/.ssh/id", "outside", "outside/kept"];
            for path in paths {
                chown(world.path(path), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.dir.path().to_owned() } else { self.dir.path().join(path) }
    }

    fn spec(&self, line: &str) -> Value {
        json!({
            "argv": ["/bin/bash", "--noprofile", "--norc", "-c", line],
            "cwd": self.path("ws"),
            "confine": {
                "namespaces": self.way.namespaces,
                "writable": [self.path("ws")],
                "read_only": [],
                "hidden": [self.path("home/.ssh")],
                "visible": [],
                "temporary": self.path("tmp"),
                "network": self.network,
                "layers": [],
            },
        })
    }

    fn start(&self, line: &str) -> Started {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut command = Command::new(Binary::Server.path());
        command.arg("sandbox-exec").current_dir("/").env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("W", self.dir.path());
        command.env("OUR_PID", std::process::id().to_string());
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.way.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command.spawn().unwrap();
        drop(command);
        let spec = self.spec(line).to_string();
        for _ in 0..2 {
            // A helper that could not begin says so in its report.
            let _gone = (&ours).write_all(format!("{:08x}{spec}", spec.len()).as_bytes());
        }
        Started { child, control: ours }
    }

    /// Runs a line; returns what came of it, and what it said.
    fn run(&self, line: &str) -> (Value, String) {
        self.start(line).end()
    }
}

struct Started {
    child: Child,
    control: UnixStream,
}

impl Started {
    fn end(mut self) -> (Value, String) {
        let mut said = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        let mut report = Vec::new();
        let _reset = (&self.control).read_to_end(&mut report);
        (serde_json::from_slice(report.get(8..).unwrap_or_default()).unwrap_or(Value::Null), said)
    }
}

/// Runs a line in every way; whatever it tries has to fail, which it says by `held` at its end.
fn holds(test: &str, line: &str, look: impl Fn(&World)) {
    for way in ways(test) {
        let world = World::new(way);
        let (report, said) = world.run(line);
        assert!(said.ends_with("held\n"), "{way:?} does not hold: {report} {said}");
        look(&world);
    }
}

#[test]
fn what_a_command_needs_is_there() {
    for way in ways("what_a_command_needs_is_there") {
        let world = World::new(way);
        let line = "echo made > made && mkdir -p a/b && mv made a/b/moved && ln -s a c && cat c/b/moved && rm c \
                    && echo x > /dev/null && head -c 4 /dev/urandom | wc -c && (sleep 0; echo child) \
                    && cat <<<here && id -u && pwd && test -r /usr/bin/env && test -x /bin/ls && exit 7";
        let (report, said) = world.run(line);
        let id = if way.as_nobody { NOBODY } else { rustix::process::geteuid().as_raw() };
        let expected = format!("made\n4\nchild\nhere\n{id}\n{}\n", world.path("ws").display());
        assert_eq!((report, said), (json!({"Exited": 7}), expected), "{way:?}");
        assert_eq!(fs::read_to_string(world.path("ws/a/b/moved")).unwrap(), "made\n");
        let (report, _) = world.run("kill -SEGV $$");
        assert_eq!(report, json!({"Signalled": 11}), "{way:?}");
    }
}

#[test]
fn nothing_is_written_outside() {
    let line = r#"
        for at in "$W/outside/new" "$W/new" "$W/ws/../outside/new" "$W/ws/link/new" /etc/kkcode-escape /usr/bin/kkcode-escape \
            "/proc/self/root$W/outside/new" "/proc/1/root$W/outside/new" "/proc/$$/cwd/../outside/new" /var/tmp/kkcode-escape; do
            (echo out > "$at") 2>/dev/null && echo "wrote $at"
        done
        (echo out >> "$W/outside/kept") 2>/dev/null && echo appended
        rm -f "$W/outside/kept" 2>/dev/null && echo removed
        mv "$W/outside/kept" stolen 2>/dev/null && echo moved
        ln "$W/outside/kept" hard 2>/dev/null && (echo out >> hard) 2>/dev/null && echo linked
        truncate -s 0 "$W/outside/kept" 2>/dev/null && echo truncated
        chmod 777 "$W/outside" 2>/dev/null && (echo out > "$W/outside/new") 2>/dev/null && echo widened
        ln -s "$W/outside/late" late; (echo out > late) 2>/dev/null && echo followed
        echo held"#;
    holds("nothing_is_written_outside", line, |world| {
        let mut names: Vec<_> =
            fs::read_dir(world.path("outside")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["kept"]);
        assert_eq!(fs::read_to_string(world.path("outside/kept")).unwrap(), "kept\n");
        assert!(!Path::new("/etc/kkcode-escape").exists() && !Path::new("/var/tmp/kkcode-escape").exists());
    });
}

#[test]
fn secrets_are_not_read() {
    let line = r#"
        for at in "$W/home/.ssh/id" "$W/ws/keys/id" "$W/ws/../home/.ssh/id" "/proc/self/root$W/home/.ssh/id" \
            "/proc/1/root$W/home/.ssh/id" "/proc/self/cwd/../home/.ssh/id" "/proc/$OUR_PID/root$W/home/.ssh/id"; do
            cat "$at" 2>/dev/null && echo "read $at"
        done
        cp -r "$W/home/.ssh" copy 2>/dev/null; cat copy/id 2>/dev/null
        ln "$W/home/.ssh/id" hard 2>/dev/null && cat hard
        mv "$W/home/.ssh" moved 2>/dev/null && cat moved/id
        mv "$W/home" moved 2>/dev/null && cat moved/.ssh/id
        umount "$W/home/.ssh" 2>/dev/null && cat "$W/home/.ssh/id"
        unshare -rm sh -c 'umount "$W/home/.ssh"; cat "$W/home/.ssh/id"' 2>/dev/null
        { tr '\0' '\n' < "/proc/$OUR_PID/environ"; } 2>/dev/null | head -c 20
        dd if=/dev/vda bs=512 count=1 2>/dev/null | wc -c | grep -vx 0
        dd if=/dev/mem bs=512 count=1 2>/dev/null | wc -c | grep -vx 0
        echo held"#;
    holds("secrets_are_not_read", line, |_| {});
    for way in ways("secrets_are_not_read") {
        let (_, said) =
            World::new(way).run("cat $W/home/.ssh/id $W/ws/keys/id; ls -a $W/home/.ssh/id; echo held");
        assert!(!said.contains("SECRET"), "{way:?}: {said}");
    }
}

#[test]
fn there_is_no_network_to_the_outside() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = format!(
        r#"
        (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo connected
        (echo x > /dev/udp/127.0.0.1/{port}) 2>/dev/null
        echo held"#
    );
    holds("there_is_no_network_to_the_outside", &line, |_| {
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    });
    for way in ways("there_is_no_network_to_the_outside") {
        let world = World { network: true, ..World::new(way) };
        let (report, said) = world.run(&format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo in"));
        assert_eq!((report, said.as_str()), (json!({"Exited": 0}), "in\n"), "{way:?} with the network");
        while listener.accept().is_ok() {}
    }
}

/// Sockets in the file system lead to whoever listens there, and the abstract ones have no permissions at all.
#[test]
fn nobody_is_reached_through_local_sockets() {
    if !python("nobody_is_reached_through_local_sockets") {
        return;
    }
    for way in ways("nobody_is_reached_through_local_sockets") {
        let world = World::new(way);
        let at = world.path("outside/socket");
        let named = UnixListener::bind(&at).unwrap();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o777)).unwrap();
        let name = format!("kkcode-{}-{}-{}", std::process::id(), way.namespaces, way.as_nobody);
        let address =
            <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name);
        let hidden = UnixListener::bind_addr(&address.unwrap()).unwrap();
        let line = format!(
            r#"python3 - <<'END'
import socket
for at in ["{}", "\0{name}"]:
    try:
        socket.socket(socket.AF_UNIX).connect(at)
        print("connected", repr(at))
    except OSError:
        pass
print("held")
END"#,
            at.display()
        );
        let (report, said) = world.run(&line);
        assert_eq!(said, "held\n", "{way:?} does not hold: {report}");
        for listener in [named, hidden] {
            listener.set_nonblocking(true).unwrap();
            assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{way:?}");
        }
    }
}

#[test]
fn other_processes_are_out_of_reach() {
    for way in ways("other_processes_are_out_of_reach") {
        let world = World::new(way);
        let mut victim = Command::new("sleep");
        victim.arg("1000").stdin(Stdio::null());
        if way.as_nobody {
            victim.uid(NOBODY).gid(NOBODY);
        }
        let mut victim = victim.spawn().unwrap();
        let line = format!(
            r#"
            for signal in TERM KILL STOP; do kill -$signal {0} 2>/dev/null && echo "sent $signal"; done
            head -c 1 /proc/{0}/mem 2>/dev/null; cat /proc/{0}/environ 2>/dev/null
            readlink /proc/{0}/fd/0 /proc/{0}/cwd /proc/{0}/exe
            timeout 5 strace -p {0} 2>/dev/null && echo traced
            timeout 5 gdb -p {0} -batch 2>/dev/null | grep -i attached
            echo held
            kill -KILL $PPID 2>/dev/null; kill -KILL -- -1 2>/dev/null"#,
            victim.id()
        );
        let (report, said) = world.run(&line);
        let survives = victim.try_wait().unwrap().is_none();
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert!(survives, "{way:?}: the other process was ended");
        assert_eq!(said, "held\n", "{way:?} does not hold: {report}");
    }
}

#[test]
fn no_power_is_gained() {
    if !python("no_power_is_gained") {
        return;
    }
    let line = r#"
        python3 - <<'END'
import ctypes, fcntl, os, termios
libc = ctypes.CDLL(None, use_errno=True)
def refused(name, call):
    if call() != -1:
        print("could", name)
refused("ptrace", lambda: libc.ptrace(0, 0, 0, 0))
refused("mount", lambda: libc.mount(b"none", b"/mnt", b"tmpfs", 0, None))
refused("umount", lambda: libc.umount2(b"/proc", 2))
refused("chroot", lambda: libc.chroot(b"."))
refused("unshare users", lambda: libc.unshare(0x10000000))
refused("io_uring", lambda: libc.syscall(425, 1, 0))
refused("keyctl", lambda: libc.syscall(250, 0, -3, 0))
refused("bpf", lambda: libc.syscall(321, 0, 0, 0))
refused("x32 ptrace", lambda: libc.syscall(0x40000000 | 521, 0, 0, 0, 0))
refused("vsock", lambda: libc.socket(40, 1, 0))
refused("raw packets", lambda: libc.socket(17, 3, 0))
if not os.geteuid() == 0:
    refused("setuid", lambda: libc.setuid(0))
try:
    fcntl.ioctl(0, termios.TIOCSTI, b"x"); print("could type")
except OSError:
    pass
try:
    os.open("/dev/tty", os.O_RDWR); print("could open the terminal")
except OSError:
    pass
status = open("/proc/self/status").read()
if "NoNewPrivs:\t1" not in status: print("may gain privileges")
if "Seccomp:\t2" not in status: print("no filter")
END
        find /usr/bin -perm -4000 -name su 2>/dev/null | while read -r su; do
            [ "$(id -u)" = 0 ] || { echo | timeout 5 "$su" -c id 2>/dev/null; }
        done
        (mknod disk b 254 0 && head -c 1 disk) 2>/dev/null
        echo held"#;
    for way in ways("no_power_is_gained") {
        let (report, said) = World::new(way).run(line);
        assert_eq!(said, "held\n", "{way:?} does not hold: {report}");
    }
}

/// What starts new sessions, ignores being asked and goes into the background is ended all the same.
#[test]
fn nothing_outlives_the_command() {
    for way in ways("nothing_outlives_the_command") {
        let world = World::new(way);
        let fork = r#"
            for i in 1 2 3; do
                rm -f "gate$i"; mkfifo "gate$i"
                setsid bash -c 'trap "" TERM HUP; echo alive > "gate$0"; exec sleep 1000' "$i" >/dev/null 2>&1 &
            done
            for i in 1 2 3; do read -r line < "gate$i"; done
            echo started"#;
        let marker = world.path("ws");
        let (report, said) = world.run(fork);
        assert_eq!((report, said.as_str()), (json!({"Exited": 0}), "started\n"), "{way:?}");
        assert_eq!(in_folder(&marker), [""; 0], "{way:?}: something is left");
        // The same when nobody wants it any more.
        let started = world.start(&format!("trap '' TERM; {fork}; while :; do sleep 1000; done"));
        let mut first = [0; 8];
        let mut started = started;
        started.child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        started.control.shutdown(std::net::Shutdown::Write).unwrap();
        let (report, _) = started.end();
        assert_eq!(report, json!({"Signalled": 9}), "{way:?}");
        assert_eq!(in_folder(&marker), [""; 0], "{way:?}: something is left");
    }
}

/// When the helper itself is killed, the namespace of processes goes with it.
#[test]
fn a_killed_helper_takes_everything_with_it() {
    for way in ways("a_killed_helper_takes_everything_with_it") {
        if way.namespaces == "None" {
            continue;
        }
        let world = World::new(way);
        let mut started = world.start("setsid sleep 1000 & echo started; exec sleep 1000");
        let mut first = [0; 8];
        started.child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        started.child.kill().unwrap();
        // The pipes close when the last process that holds them has ended.
        let (report, _) = started.end();
        assert_eq!(report, Value::Null);
        assert_eq!(in_folder(&world.path("ws")), [""; 0], "{way:?}: something is left");
    }
}

/// Returns the state of each process that stands in a folder and is no zombie: what proc(5) `stat` tells.
fn in_folder(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let inside = entries.filter(|entry| fs::read_link(entry.join("cwd")).is_ok_and(|cwd| cwd == folder));
    inside.map(|entry| fs::read_to_string(entry.join("stat")).unwrap_or_default()).collect()
}

fn python(test: &str) -> bool {
    let there = Path::new("/usr/bin/python3").exists();
    if !there {
        skip(test, "python3 is not installed");
    }
    there
}
