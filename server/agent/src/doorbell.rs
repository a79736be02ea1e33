//! The doorbell: how the servers of one home tell each other, without a word, that the store has something new.
//!
//! Each has a datagram socket in a folder that only the user can enter. After a commit it sends one byte to all others. A
//! lost ring is made good by a look at `PRAGMA data_version` now and then.

#[cfg(unix)]
pub(crate) use unix::Doorbell;

#[cfg(not(unix))]
pub(crate) use elsewhere::Doorbell;

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::DirBuilderExt as _;
    use std::os::unix::net::UnixDatagram;
    use std::path::{Path, PathBuf};

    use crate::fresh;

    /// How the socket files end.
    const EXTENSION: &str = "bell";

    /// The socket of this process; its file goes with it.
    #[derive(Debug)]
    pub(crate) struct Doorbell {
        path: PathBuf,
        socket: tokio::net::UnixDatagram,
    }

    impl Doorbell {
        /// Hangs a bell into a home. Fails where the path is too long for a socket, or the folder cannot be made.
        pub(crate) fn hang(home: &Path) -> io::Result<Self> {
            let folder = home.join("run");
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let name = fresh::name("server").map_err(|error| io::Error::other(error.to_string()))?;
            let path = folder.join(name).with_extension(EXTENSION);
            let socket = UnixDatagram::bind(&path)?;
            socket.set_nonblocking(true)?;
            let socket = tokio::net::UnixDatagram::from_std(socket)?;
            Ok(Self { path, socket })
        }

        /// Waits until somebody rings; many rings at once are one.
        pub(crate) async fn rung(&self) -> io::Result<()> {
            let mut byte = [0; 1];
            self.socket.recv(&mut byte).await?;
            while self.socket.try_recv(&mut byte).is_ok() {}
            Ok(())
        }

        /// Returns where the bell hangs.
        pub(crate) fn path(&self) -> &Path {
            &self.path
        }

        /// Rings at everybody else in the home, and clears away the bells of those who are gone. Reads a folder: not for the
        /// runtime's own thread.
        pub(crate) fn ring(home: &Path, own: Option<&Path>) {
            let Ok(entries) = fs::read_dir(home.join("run")) else { return };
            let Ok(sender) = UnixDatagram::unbound() else { return };
            if sender.set_nonblocking(true).is_err() {
                return;
            }
            for path in entries.flatten().map(|entry| entry.path()) {
                let is_bell = path.extension().is_some_and(|extension| extension == EXTENSION);
                if !is_bell || Some(&*path) == own {
                    continue;
                }
                match sender.send_to(&[1], &path) {
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        // Nobody answers any more: its process was killed.
                        if let Err(error) = fs::remove_file(&path) {
                            tracing::debug!(path = %path.display(), %error, "an old doorbell is left");
                        }
                    }
                    // One that is full rings anyway.
                    Err(error) => tracing::debug!(path = %path.display(), %error, "a doorbell was not rung"),
                    Ok(_) => {}
                }
            }
        }
    }

    impl Drop for Doorbell {
        fn drop(&mut self) {
            if let Err(error) = fs::remove_file(&self.path) {
                tracing::debug!(path = %self.path.display(), %error, "the doorbell's file is left");
            }
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    /// Where there are no such sockets others are only seen by looking.
    #[derive(Debug)]
    pub(crate) struct Doorbell;

    impl Doorbell {
        pub(crate) fn hang(_home: &Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) async fn rung(&self) -> io::Result<()> {
            std::future::pending().await
        }

        pub(crate) fn path(&self) -> &Path {
            Path::new("")
        }

        pub(crate) fn ring(_home: &Path, _own: Option<&Path>) {}
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_reaches_all_others_and_clears_away_the_dead() {
        let home = tempfile::tempdir().unwrap();
        let (one, other) = (Doorbell::hang(home.path()).unwrap(), Doorbell::hang(home.path()).unwrap());
        let dead = home.path().join("run/dead.bell");
        drop(std::os::unix::net::UnixDatagram::bind(&dead).unwrap());
        assert!(dead.exists());
        Doorbell::ring(home.path(), Some(one.path()));
        other.rung().await.unwrap();
        assert!(!dead.exists());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
    }
}
