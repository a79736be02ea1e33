//! Landlock: what a command may open, whatever it is shown. Rules only add, so what is hidden is left out.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope,
};

use crate::process::{Confine, Namespaces};

/// The newest version that we know what to do with; an older kernel enforces what it has.
const KNOWN: ABI = ABI::V7;

/// Devices that hold nothing of anybody.
const DEVICES: [&str; 9] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/fd",
];

/// Restricts this process and all that it starts.
pub(super) fn restrict(confine: &Confine) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("Landlock: {error}");
    let enforced = rules(confine).map_err(|error| failed(&error))?;
    let enforced = enforced.restrict_self().map_err(|error| failed(&error))?;
    // Bubblewrap's own mounts hold without Landlock; nothing else of ours does.
    if enforced.ruleset == RulesetStatus::NotEnforced && confine.namespaces != Namespaces::Bubblewrap {
        return Err("this kernel has no Landlock".to_owned());
    }
    Ok(())
}

fn rules(confine: &Confine) -> Result<RulesetCreated, landlock::RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    if !confine.network && confine.namespaces == Namespaces::None {
        ruleset = ruleset.handle_access(AccessNet::from_all(KNOWN))?;
    }
    let mut rules = Rules { ruleset: ruleset.create()?, hidden: confine.hidden.clone() };
    rules.hidden.push(PathBuf::from("/dev"));
    rules.grant(Path::new("/"), AccessFs::from_read(KNOWN))?;
    let device = AccessFs::from_file(KNOWN) | AccessFs::ReadDir;
    for path in DEVICES {
        rules.add(Path::new(path), device)?;
    }
    let everything = AccessFs::from_all(KNOWN);
    for path in &confine.writable {
        rules.grant(path, everything)?;
    }
    for path in &confine.visible {
        rules.grant(path, AccessFs::from_read(KNOWN))?;
    }
    if confine.namespaces == Namespaces::None {
        rules.add(&confine.temporary, everything)?;
    } else {
        rules.add(Path::new("/tmp"), everything)?;
        rules.add(Path::new("/dev/shm"), everything)?;
    }
    Ok(rules.ruleset)
}

struct Rules {
    ruleset: RulesetCreated,
    hidden: Vec<PathBuf>,
}

impl Rules {
    /// Allows access to all below a path but what is hidden. Where something hidden is below a folder, what is in that folder now is
    /// allowed one by one, and nothing new can be made in it.
    fn grant(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), landlock::RulesetError> {
        let holds_hidden = self.hidden.iter().any(|hidden| hidden.starts_with(path) && hidden != path);
        if !holds_hidden {
            return self.add(path, access);
        }
        self.add(path, access & AccessFs::ReadDir)?;
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            // Where a link leads is allowed or hidden by its own path.
            if !is_link && !self.hidden.contains(&path) {
                self.grant(&path, access)?;
            }
        }
        Ok(())
    }

    /// Allows access to a path and all below it. One that is not there or cannot be opened stays closed.
    fn add(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), landlock::RulesetError> {
        let Ok(opened) = PathFd::new(path) else { return Ok(()) };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
        if !access.is_empty() {
            (&mut self.ruleset).add_rule(PathBeneath::new(opened, access))?;
        }
        Ok(())
    }
}
