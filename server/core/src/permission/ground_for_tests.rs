//! A disk that exists in a test only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ground::{Entry, Ground, World};

/// Files by path: a text, a link's target, or a folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(BTreeMap<PathBuf, Thing>);

#[derive(Clone, Debug)]
enum Thing {
    Text(String),
    Link(PathBuf),
    Folder,
}

impl Disk {
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.put(path, Thing::Text(text.to_owned()));
        self
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.put(path, Thing::Link(target.into()));
        self
    }

    pub(crate) fn folder(mut self, path: &str) -> Self {
        self.put(path, Thing::Folder);
        self
    }

    fn put(&mut self, path: &str, thing: Thing) {
        for above in Path::new(path).ancestors().skip(1) {
            self.0.entry(above.to_owned()).or_insert(Thing::Folder);
        }
        self.0.insert(path.into(), thing);
    }
}

impl World for Disk {
    fn link_target(&self, path: &Path) -> Option<PathBuf> {
        match self.0.get(path) {
            Some(Thing::Link(target)) => Some(target.clone()),
            _ => None,
        }
    }

    fn entry(&self, path: &Path) -> Entry {
        let real = super::path::real_path(self, path);
        match real.and_then(|real| self.0.get(&real)) {
            Some(Thing::Text(_)) => Entry::File,
            Some(Thing::Folder) => Entry::Folder,
            Some(Thing::Link(_)) | None => Entry::Nothing,
        }
    }

    fn text(&self, path: &Path) -> Option<String> {
        match self.0.get(&super::path::real_path(self, path)?) {
            Some(Thing::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn names(&self, folder: &Path) -> Option<Vec<String>> {
        let names = self.0.keys().filter(|path| path.parent() == Some(folder));
        Some(names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }
}

/// Returns the frame of the corpus: workspace `/ws`, home `/home/user`, system folders in `PATH`.
pub(crate) fn frame() -> (Ground, Disk) {
    let ground = Ground {
        folders: vec!["/ws".into()],
        copy_of: None,
        cwd: "/ws".into(),
        home: "/home/user".into(),
        own: vec!["/home/user/.kkcode".into()],
        temporary: vec!["/tmp".into()],
        program_folders: vec!["/usr/bin".into(), "/bin".into()],
        ignores_case: false,
    };
    let disk = Disk::default()
        .folder("/ws/src")
        .folder("/ws/.git")
        .file("/ws/.git/config", "[core]\n\tbare = false\n");
    (ground, disk)
}
