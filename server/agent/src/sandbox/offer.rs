//! What this machine offers for bounding commands: tried out, not guessed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Allowed, Plan};
use crate::process::{How, Namespaces, Order, Output, Spec, run};

/// How long a trial may take before it counts as failed.
const TRIAL: Duration = Duration::from_secs(20);

/// The way to the sandbox: the helper, and what was found out with it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sandbox {
    helper: Option<PathBuf>,
    home: PathBuf,
    offer: Arc<OnceCell<Offer>>,
}

/// What can be done about commands on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How their view of the machine is made; none when nothing bounds them.
    pub(crate) namespaces: Option<Namespaces>,
    /// Whether they can see pending edits at the files' own places, and keep what they write to themselves.
    pub layers: bool,
    /// Why what is missing is missing.
    pub problems: Vec<String>,
}

impl Sandbox {
    /// Begins without knowing anything. `helper` is the program that knows `sandbox-exec`, which is this one; trials are made in
    /// folders of kkcode's `home`.
    pub fn new(helper: Option<PathBuf>, home: PathBuf) -> Self {
        Self { helper: helper.filter(|_| cfg!(target_os = "linux")), home, offer: Arc::default() }
    }

    /// Returns what can be done, tried out at the first call.
    pub async fn offer(&self) -> &Offer {
        self.offer.get_or_init(|| self.try_out()).await
    }

    /// Returns what can be done, if it has been tried out.
    pub fn known(&self) -> Option<&Offer> {
        self.offer.get()
    }

    pub(crate) fn helper(&self) -> Option<&Path> {
        self.helper.as_deref()
    }

    async fn try_out(&self) -> Offer {
        let mut problems = Vec::new();
        if self.helper.is_none() {
            let why = "commands can be bounded on Linux alone".to_owned();
            return Offer { namespaces: None, layers: false, problems: vec![why] };
        }
        for namespaces in [Namespaces::Own, Namespaces::Bubblewrap, Namespaces::None] {
            match self.trial(namespaces, false).await {
                Ok(()) => {
                    let layers = match self.trial(namespaces, true).await {
                        Ok(()) => true,
                        Err(why) => {
                            problems.push(format!("no copy-on-write layers: {why}"));
                            false
                        }
                    };
                    return Offer { namespaces: Some(namespaces), layers, problems };
                }
                Err(why) => problems.push(format!("{}: {why}", namespaces.name())),
            }
        }
        Offer { namespaces: None, layers: false, problems }
    }

    /// Runs a command that tells whether it can write where it must not.
    async fn trial(&self, namespaces: Namespaces, layered: bool) -> Result<(), String> {
        let ground = self.home.join("sandbox-trial");
        let name = crate::fresh::name("trial").map_err(|error| error.to_string())?;
        let ground = ground.join(name);
        let (folder, outside) = (ground.join("folder"), ground.join("outside"));
        let order = {
            let (ground, folder, outside) = (ground.clone(), folder.clone(), outside.clone());
            let helper = self.helper.clone();
            let make = move || trial_order(&ground, &folder, &outside, namespaces, layered, helper);
            tokio::task::spawn_blocking(make).await.map_err(|error| error.to_string())?
        };
        let order = order.map_err(|error| format!("{}: {error}", ground.display()))?;
        let output = Arc::new(Mutex::new(Output::new(ground.join("output.txt"))));
        let ended = run(order, output, &CancellationToken::new()).await;
        let kept_out = !outside.join("file").exists();
        let wrote = if layered { ground.join("upper/file") } else { folder.join("file") }.exists();
        let leaked = layered && folder.join("file").exists();
        let cleared = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(ground)).await;
        if !matches!(cleared, Ok(Ok(()))) {
            tracing::debug!("the ground of a trial is left behind");
        }
        match ended {
            Err(error) => Err(error.to_string()),
            Ok(ended) if ended.how != How::Exited(0) => {
                Err(format!("{} {}", ended.how.words(), ended.output))
            }
            Ok(_) if !kept_out || leaked => Err("it does not keep commands from writing".to_owned()),
            Ok(_) if !wrote => Err("nothing can be written in it".to_owned()),
            Ok(_) => Ok(()),
        }
    }
}

fn trial_order(
    ground: &Path,
    folder: &Path,
    outside: &Path,
    namespaces: Namespaces,
    layered: bool,
    helper: Option<PathBuf>,
) -> std::io::Result<Order> {
    let [pending, upper, work, temporary] =
        ["pending", "upper", "work", "temporary"].map(|name| ground.join(name));
    for folder in [folder, outside, &pending, &upper, &work, &temporary] {
        crate::own::folder(folder)?;
    }
    let layers = crate::process::Layers { folder: folder.to_owned(), pending, upper, work };
    let plan = Plan {
        folders: vec![folder.to_owned()],
        layers: if layered { vec![layers] } else { Vec::new() },
        temporary,
        ..Plan::default()
    };
    let line = format!(": > file && ! (: > '{}/file') 2>/dev/null", outside.display());
    let argv = ["/bin/sh", "-c", &line].map(str::to_owned).to_vec();
    let confine = Some(plan.confine(namespaces, Allowed::default()));
    Ok(Order {
        spec: Spec { argv, cwd: folder.to_owned(), confine },
        environment: vec![(OsString::from("PATH"), OsString::from("/usr/bin:/bin"))],
        helper,
        timeout: Some(TRIAL),
    })
}

impl Offer {
    /// Says in one line how commands are bounded.
    pub fn summary(&self) -> String {
        match self.namespaces {
            Some(namespaces) => {
                let layers = if self.layers { ", with pending edits where they are" } else { "" };
                format!("{}{layers}", namespaces.name())
            }
            None => "not sandboxed".to_owned(),
        }
    }

    /// Tells whether commands are bounded at all.
    pub fn is_sandboxed(&self) -> bool {
        self.namespaces.is_some()
    }
}

impl Namespaces {
    fn name(self) -> &'static str {
        match self {
            Self::Own => "namespaces, Landlock and seccomp",
            Self::Bubblewrap => "bubblewrap, seccomp and, if there is one, Landlock",
            Self::None => "Landlock and seccomp without namespaces",
        }
    }
}
