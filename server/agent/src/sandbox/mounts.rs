//! What a command sees of the file system: its own temporary folder, nothing where secrets are, its layers over the workspace.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change, mount_remount,
};

use crate::process::{Confine, Layers, Spec};

/// How many sockets in the file system are covered; the more, the longer a command takes to begin.
const MOST_SOCKETS: usize = 1000;

/// What stands where a command has its own temporary folder.
pub(super) const TEMPORARY: &str = "/tmp";

/// Makes the view of a command in the mount namespace of this process.
pub(super) fn make(spec: &Spec, confine: &Confine, sockets: &[PathBuf]) -> Result<(), String> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|error| format!("the mounts are not its own: {error}"))?;
    for layers in &confine.layers {
        lay(layers)
            .map_err(|error| format!("no copy-on-write layer over {}: {error}", layers.folder.display()))?;
    }
    let kept: Vec<Kept> = kept(spec, confine);
    let temporary = open(&confine.temporary).map_err(|error| at(&confine.temporary, &error))?;
    bind(&temporary, Path::new(TEMPORARY)).map_err(|error| at(Path::new(TEMPORARY), &error))?;
    let shared =
        mount("tmpfs", "/dev/shm", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=1777"));
    if let Err(error) = shared {
        tracing::debug!(%error, "no shared memory of its own; Landlock closes the other one");
    }
    let folders: Vec<&PathBuf> = confine.hidden.iter().filter(|hidden| hidden.is_dir()).collect();
    for hidden in &confine.hidden {
        hide(hidden).map_err(|error| at(hidden, &error))?;
    }
    for kept in &kept {
        kept.show().map_err(|error| at(&kept.path, &error))?;
    }
    for hidden in confine.hidden.iter().filter(|hidden| is_below(hidden, kept.iter().map(|kept| &kept.path)))
    {
        hide(hidden).map_err(|error| at(hidden, &error))?;
    }
    for folder in folders {
        close(folder).map_err(|error| at(folder, &error))?;
    }
    for socket in sockets.iter().filter(|socket| is_socket(socket)) {
        cover(socket).map_err(|error| at(socket, &error))?;
    }
    for path in confine.read_only.iter().filter(|path| path.exists()) {
        let own = mount_bind_recursive(path, path).map_err(io::Error::from);
        own.and_then(|()| remount(path, MountFlags::RDONLY)).map_err(|error| at(path, &error))?;
    }
    Ok(())
}

/// Something that is shown although a hidden place or the temporary folder lies over it.
struct Kept {
    path: PathBuf,
    opened: File,
}

/// Opens what is shown in spite of what is about to be mounted over it.
fn kept(spec: &Spec, confine: &Confine) -> Vec<Kept> {
    let over = |path: &Path| {
        path.starts_with(TEMPORARY) || confine.hidden.iter().any(|hidden| path.starts_with(hidden))
    };
    let mut paths: Vec<&PathBuf> = confine
        .writable
        .iter()
        .chain(&confine.visible)
        .chain([&spec.cwd])
        .filter(|path| over(path))
        .collect();
    paths.sort();
    paths.dedup();
    let mut kept: Vec<Kept> = Vec::new();
    for path in paths {
        // What is not there is not missed, and what is below another comes with it.
        if !is_below(path, kept.iter().map(|kept| &kept.path))
            && path.as_path() != Path::new(TEMPORARY)
            && let Ok(opened) = open(path)
        {
            kept.push(Kept { path: path.clone(), opened });
        }
    }
    kept
}

impl Kept {
    fn show(&self) -> io::Result<()> {
        if self.opened.metadata()?.is_dir() {
            fs::create_dir_all(&self.path)?;
        } else {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new("/")))?;
            drop(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        bind(&self.opened, &self.path)
    }
}

fn is_below<'a>(path: &Path, mut folders: impl Iterator<Item = &'a PathBuf>) -> bool {
    folders.any(|folder| path.starts_with(folder))
}

fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::PATH.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn bind(opened: &File, target: &Path) -> io::Result<()> {
    Ok(mount_bind_recursive(format!("/proc/self/fd/{}", opened.as_raw_fd()), target)?)
}

/// Mounts a copy-on-write layer over a folder (kernel documentation, `filesystems/overlayfs`).
fn lay(layers: &Layers) -> io::Result<()> {
    let mut data = b"userxattr,lowerdir=".to_vec();
    data.extend(escaped(&layers.pending));
    data.push(b':');
    data.extend(escaped(&layers.folder));
    data.extend(b",upperdir=");
    data.extend(escaped(&layers.upper));
    data.extend(b",workdir=");
    data.extend(escaped(&layers.work));
    let data = CString::new(data)?;
    Ok(mount("overlay", &layers.folder, "overlay", MountFlags::empty(), Some(data.as_c_str()))?)
}

fn escaped(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.flat_map(|byte| if b"\\,:".contains(byte) { vec![b'\\', *byte] } else { vec![*byte] }).collect()
}

/// Puts nothing in the place of a folder or file. The folder can still be added to, see [`close`].
fn hide(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.is_dir() {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount("tmpfs", path, "tmpfs", flags, Some(c"mode=0755,size=64k"))?;
    } else if !metadata.is_symlink() {
        cover(path)?;
    }
    Ok(())
}

/// Puts the device that holds nothing in the place of a file or socket.
fn cover(path: &Path) -> io::Result<()> {
    Ok(mount_bind("/dev/null", path)?)
}

/// Makes a hidden folder one that cannot be added to.
fn close(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        remount(path, MountFlags::RDONLY)?;
    }
    Ok(())
}

/// Adds flags to those of a mount; those that it has may be locked.
fn remount(path: &Path, more: MountFlags) -> io::Result<()> {
    let has = statvfs(path)?.f_flag;
    let known = [
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
        (StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
    ];
    let kept = known.iter().filter(|(known, _)| has.contains(*known)).map(|(_, flag)| *flag);
    let flags = kept.fold(MountFlags::BIND | more, |flags, flag| flags | flag);
    Ok(mount_remount(path, flags, c"")?)
}

/// Returns where sockets stand in the file system behind which somebody listens, proc(5) `net/unix`: the way to the container
/// engine, the desktop, the agent of ssh. A network namespace does not close them, and does not list them: it has to be asked before.
pub(super) fn sockets() -> Vec<PathBuf> {
    let table = fs::read("/proc/net/unix").unwrap_or_default();
    let path = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b'/')?;
        Some(PathBuf::from(OsStr::from_bytes(line.get(at..)?)))
    };
    let mut sockets: Vec<PathBuf> = table.split(|byte| *byte == b'\n').filter_map(path).collect();
    sockets.sort();
    sockets.dedup();
    sockets.retain(|socket| is_socket(socket));
    sockets.truncate(MOST_SOCKETS);
    sockets
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
