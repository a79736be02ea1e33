//! The decision about a tool call: rules, levels, protected places and the judge of command lines, the strictest of all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Decision;
use super::capability::{Capability, Mode, ceiling, default_decision};
use super::glob::{Reach, list_fits};
use super::ground::{Ground, World};
use super::heard::Heard;
use super::path::{Standing, lexical, standing};
use super::rule::{Origin, Rule, Subject, learned_prefix};
use super::shell::{self, Class, Judgement, Shell};
use super::tables::PATHS;
use crate::turn::Level;

/// What holds for a session: whose word counts how much.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The level.
    pub level: Level,
    /// The mode.
    pub mode: Mode,
    /// All rules. Those that allow count only if they are the user's own.
    pub rules: Vec<Rule>,
    /// What the user has allowed until the session ends.
    pub approvals: Vec<Approval>,
    /// What came from the network into the conversation; none when nothing did.
    pub heard: Option<Arc<Heard>>,
}

/// Names exactly one action: what was shown to the user, and nothing wider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Approval([u8; 32]);

/// A tool call, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// What it would do.
    pub action: Action,
}

/// What a tool call would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run a command line.
    Command {
        /// The line, byte for byte.
        line: String,
        /// For which shell.
        shell: Shell,
        /// Whether it has the network.
        network: bool,
    },
    /// Read and change files.
    Files {
        /// What is read, as the call spells it.
        reads: Vec<String>,
        /// What is changed, created, moved or removed.
        writes: Vec<String>,
        /// What else is shown to the user, such as the change itself: an approval is for this alone.
        detail: String,
    },
    /// Fetch something from an address.
    Fetch(String),
    /// Anything else, in words that say all of it.
    Other(String),
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What is built in.
    BuiltIn,
    /// A rule, in words, and where it stands.
    Rule(String, Origin),
    /// The level.
    Level(Level),
    /// The mode.
    Mode(Mode),
    /// The place is one that programs or agents obey.
    Protected,
    /// The user has allowed exactly this.
    Approval,
    /// Something came from the network, and this could send something there.
    Network,
}

/// The decision about a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is done.
    pub decision: Decision,
    /// Why, for the user.
    pub reason: String,
    /// What decided.
    pub source: Source,
}

impl Verdict {
    fn new(decision: Decision, reason: impl Into<String>, source: Source) -> Self {
        Self { decision, reason: reason.into(), source }
    }

    /// Returns the stricter of two; the first of equals.
    fn stricter(self, other: Self) -> Self {
        if other.decision > self.decision { other } else { self }
    }
}

/// Decides about a call.
pub fn decide(policy: &Policy, ground: &Ground, world: &dyn World, call: &Call) -> Verdict {
    Engine { policy, ground, world, call }.decide()
}

/// Returns the name of what a call would do, for an approval. Two calls have the same one only if nothing that was shown
/// differs: the tool, the folder, every byte.
pub fn approval(ground: &Ground, call: &Call) -> Approval {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    };
    add(&call.tool);
    add(&ground.cwd.to_string_lossy());
    match &call.action {
        Action::Command { line, shell, network } => {
            add(if *network { "command with the network" } else { "command" });
            add(&format!("{shell:?}"));
            add(line);
        }
        Action::Files { reads, writes, detail } => {
            add("files");
            for (kind, paths) in [("read", reads), ("write", writes)] {
                let mut paths: Vec<PathBuf> =
                    paths.iter().map(|path| lexical(&ground.cwd.join(path))).collect();
                paths.sort();
                add(kind);
                add(&paths.len().to_string());
                for path in &paths {
                    add(&path.to_string_lossy());
                }
            }
            add(detail);
        }
        Action::Fetch(address) => {
            add("fetch");
            add(address);
        }
        Action::Other(words) => {
            add("other");
            add(words);
        }
    }
    Approval(hash.finalize().into())
}

/// Returns the rules that an answer "always" would write for a call: one for each simple command, or the exact paths. None
/// where no rule could be worded that is no wider than what was shown.
pub fn learned_rules(ground: &Ground, world: &dyn World, call: &Call) -> Vec<Rule> {
    let rule = |file_patterns: Vec<String>, command_prefixes: Vec<String>| Rule {
        tool: call.tool.clone(),
        action: Decision::Allow,
        modes: Vec::new(),
        risk: None,
        file_patterns,
        command_prefixes,
        workspace: ground.folders.first().cloned(),
        scope: super::rule::Scope::Learned,
        origin: Origin::default(),
    };
    match &call.action {
        Action::Command { line, shell, .. } => {
            let judgement = shell::judge(line, *shell, ground, world);
            let simple = judgement.simple.filter(|_| judgement.class == Class::Ordinary).unwrap_or_default();
            let prefixes: Option<Vec<String>> = simple.iter().map(|words| learned_prefix(words)).collect();
            prefixes.unwrap_or_default().into_iter().map(|prefix| rule(Vec::new(), vec![prefix])).collect()
        }
        Action::Files { writes, reads, .. } => {
            let paths = reads.iter().chain(writes).map(|path| standing(ground, world, &ground.cwd, path));
            let patterns: Option<Vec<String>> =
                paths.map(|standing| exact_pattern(ground, &standing)).collect();
            patterns
                .filter(|patterns| !patterns.is_empty())
                .map(|patterns| rule(patterns, Vec::new()))
                .into_iter()
                .collect()
        }
        Action::Fetch(_) | Action::Other(_) => Vec::new(),
    }
}

/// Returns the pattern of one file of the workspace, if its name holds nothing that a pattern means otherwise.
fn exact_pattern(ground: &Ground, standing: &Standing) -> Option<String> {
    let real = standing.real.as_ref().filter(|_| standing.may_be_edited())?;
    let relative = ground.folders.iter().find_map(|folder| real.strip_prefix(folder).ok())?;
    let text = relative.to_str().filter(|text| !text.contains(['*', '?', '!', '\\']) && !text.is_empty())?;
    Some(text.to_owned())
}

struct Engine<'a> {
    policy: &'a Policy,
    ground: &'a Ground,
    world: &'a dyn World,
    call: &'a Call,
}

impl Engine<'_> {
    fn decide(&self) -> Verdict {
        let capability = Capability::of_tool(&self.call.tool);
        let verdict = match &self.call.action {
            Action::Command { line, shell, .. } => self.command(line, *shell),
            Action::Files { reads, writes, .. } => self.files(capability, reads, writes),
            Action::Fetch(_) | Action::Other(_) => self.plain(capability, &[]),
        };
        let approved = verdict.decision == Decision::Ask
            && matches!(verdict.source, Source::Level(_) | Source::Network)
            && self.policy.approvals.contains(&approval(self.ground, self.call));
        if approved {
            return Verdict::new(
                Decision::Allow,
                "you allowed exactly this for the session",
                Source::Approval,
            );
        }
        verdict
    }

    /// A command line: the strictest over its parts.
    fn command(&self, line: &str, shell: Shell) -> Verdict {
        let judgement = shell::judge(line, shell, self.ground, self.world);
        if judgement.class == Class::Never {
            return Verdict::new(Decision::Deny, judgement.reason, Source::BuiltIn);
        }
        let capability =
            if judgement.class == Class::Harmless { Capability::SafeShell } else { Capability::RiskyShell };
        let forbidden = self.forbidden_command(&judgement);
        let bounded = self.bounded(capability);
        let own = match judgement.class {
            Class::Protected => Verdict::new(Decision::Ask, judgement.reason.clone(), Source::Protected),
            Class::Harmless => Verdict::new(Decision::Allow, judgement.reason.clone(), Source::BuiltIn),
            Class::Ordinary | Class::Never => self
                .allowed_command(&judgement)
                .unwrap_or_else(|| self.of_level(capability, judgement.reason.clone())),
        };
        [forbidden, bounded].into_iter().flatten().fold(own, Verdict::stricter)
    }

    /// The strictest rule that forbids any command in a line, or any path that it names.
    fn forbidden_command(&self, judgement: &Judgement) -> Option<Verdict> {
        let risk = Capability::RiskyShell.risk();
        let about = |rule: &&Rule| {
            judgement.all.iter().any(|words| {
                let subject = Subject {
                    tool: &self.call.tool,
                    mode: self.policy.mode,
                    risk,
                    command: Some(words),
                    paths: &[],
                };
                rule.forbids(&subject, self.ground)
            }) || judgement
                .paths
                .iter()
                .any(|path| rule.forbids_in_command(path, self.policy.mode, self.ground))
        };
        strictest(self.policy.rules.iter().filter(about))
    }

    /// The user's rules, if they cover every simple command of a line that is nothing but simple commands. What only looks
    /// needs no rule.
    fn allowed_command(&self, judgement: &Judgement) -> Option<Verdict> {
        let simple = judgement.simple.as_ref()?;
        let risk = Capability::RiskyShell.risk();
        let mut last = None;
        for words in simple {
            let subject = Subject {
                tool: &self.call.tool,
                mode: self.policy.mode,
                risk,
                command: Some(words),
                paths: &[],
            };
            let rule = self.allowing(&subject);
            match rule {
                Some(rule) => last = Some(rule),
                None if self.looks_alone(words) => {}
                None => return None,
            }
        }
        last.map(of_rule)
    }

    /// Returns a rule of the user that allows something. One for all tools says nothing of what could send something to whoever
    /// speaks through the agent.
    fn allowing(&self, subject: &Subject<'_>) -> Option<&Rule> {
        let sends = self.sends();
        let counts = |rule: &&Rule| !sends || rule.tool == self.call.tool;
        self.policy.rules.iter().filter(counts).find(|rule| rule.allows(subject, self.ground))
    }

    /// What the level says of something that no rule is about.
    fn of_level(&self, capability: Capability, reason: String) -> Verdict {
        let decision = default_decision(self.policy.level, capability);
        if decision == Decision::Allow && self.sends() {
            let reason =
                "this conversation holds what came from the network, and this could send something there";
            return Verdict::new(Decision::Ask, reason, Source::Network);
        }
        Verdict::new(decision, reason, Source::Level(self.policy.level))
    }

    /// Tells whether the call could send something out, and somebody out there may be speaking through the agent.
    fn sends(&self) -> bool {
        let Some(heard) = &self.policy.heard else { return false };
        match &self.call.action {
            Action::Command { network, .. } => *network,
            // Who is searched with is the user's choice.
            Action::Fetch(address) => self.call.tool != "websearch" && !heard.addresses.contains(address),
            Action::Other(_) => Capability::of_tool(&self.call.tool) == Capability::Unknown,
            Action::Files { .. } => false,
        }
    }

    fn looks_alone(&self, words: &[String]) -> bool {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let plain = words.iter().all(|word| !word.contains('\''));
        plain
            && shell::judge(&quoted.join(" "), Shell::Bash, self.ground, self.world).class == Class::Harmless
    }

    /// Files: each path for itself, then the strictest.
    fn files(&self, capability: Capability, reads: &[String], writes: &[String]) -> Verdict {
        let mut verdict: Option<Verdict> = None;
        let looks = reads.iter().map(|path| (path, false));
        for (path, changes) in looks.chain(writes.iter().map(|path| (path, true))) {
            let one = self.file(capability, path, changes);
            verdict = Some(match verdict {
                Some(verdict) => verdict.stricter(one),
                None => one,
            });
        }
        verdict.unwrap_or_else(|| self.plain(capability, &[]))
    }

    fn file(&self, capability: Capability, path: &str, changes: bool) -> Verdict {
        let standing = standing(self.ground, self.world, &self.ground.cwd, path);
        let name = self.name(path);
        if standing.secret || standing.own {
            let reason = format!("`{name}` is where keys, tokens or an agent's own rules are kept");
            return Verdict::new(Decision::Deny, reason, Source::BuiltIn);
        }
        if super::characters::first_unseen(path).is_some() {
            return Verdict::new(
                Decision::Deny,
                "the path holds characters that cannot be seen",
                Source::BuiltIn,
            );
        }
        let written = lexical(&self.ground.cwd.join(path));
        let mut paths = vec![written.clone()];
        paths.extend(standing.real.clone().filter(|real| *real != written));
        let ordinary = self.plain(capability, &paths);
        let special = match (changes, &standing) {
            (true, standing) if !standing.inside => Some(Verdict::new(
                Decision::Deny,
                format!("`{name}` leads out of the workspace"),
                Source::BuiltIn,
            )),
            (true, standing) if standing.protected || standing.asked => Some(Verdict::new(
                Decision::Ask,
                format!("`{name}` is something that programs obey"),
                Source::Protected,
            )),
            (true, _) if self.policy.level != Level::Yolo && self.is_sensitive(&written) => {
                Some(Verdict::new(Decision::Ask, format!("`{name}` is a sensitive file"), Source::Protected))
            }
            (false, standing) if !standing.may_be_read() => {
                let decision = if self.policy.level == Level::Yolo { Decision::Allow } else { Decision::Ask };
                let why = if standing.inside { "may hold secrets" } else { "lies outside the workspace" };
                let reason = format!("`{name}` {why}");
                Some(Verdict::new(decision, reason, Source::Level(self.policy.level)))
            }
            _ => None,
        };
        special.into_iter().fold(ordinary, Verdict::stricter)
    }

    /// Returns how the user calls a path: from the folder of the workspace that it is in.
    fn name(&self, path: &str) -> String {
        let folders = &self.ground.folders;
        let below = folders.iter().find_map(|folder| Path::new(path).strip_prefix(folder).ok());
        let below = below.filter(|below| below.parent().is_some());
        below.map_or_else(|| path.to_owned(), |below| below.display().to_string())
    }

    fn is_sensitive(&self, path: &Path) -> bool {
        let Ok(paths) = PATHS.as_ref() else { return true };
        let patterns: Vec<String> = paths
            .sensitive
            .iter()
            .flat_map(|pattern| [pattern.to_owned(), format!("**/{pattern}")])
            .collect();
        let relative = self.ground.folders.iter().filter_map(|folder| path.strip_prefix(folder).ok());
        let spellings: Vec<String> = relative.map(|path| path.to_string_lossy().into_owned()).collect();
        list_fits(&patterns, &spellings, Reach::Part)
    }

    /// What rules and the level say of a call, or of one path of it.
    fn plain(&self, capability: Capability, paths: &[PathBuf]) -> Verdict {
        let subject = Subject {
            tool: &self.call.tool,
            mode: self.policy.mode,
            risk: capability.risk(),
            command: None,
            paths,
        };
        let forbidden =
            strictest(self.policy.rules.iter().filter(|rule| rule.forbids(&subject, self.ground)));
        let own = self.allowing(&subject).map_or_else(
            || self.of_level(capability, format!("the level `{}` says so", level_name(self.policy.level))),
            of_rule,
        );
        [forbidden, self.bounded(capability)].into_iter().flatten().fold(own, Verdict::stricter)
    }

    /// What no rule lifts.
    fn bounded(&self, capability: Capability) -> Option<Verdict> {
        let Policy { level, mode, .. } = *self.policy;
        if ceiling(level, Mode::Agent, capability) == Decision::Deny {
            let reason = "the level `readonly` allows nothing but looking".to_owned();
            return Some(Verdict::new(Decision::Deny, reason, Source::Level(level)));
        }
        let reason = "this mode allows nothing but looking";
        (ceiling(level, mode, capability) == Decision::Deny)
            .then(|| Verdict::new(Decision::Deny, reason, Source::Mode(mode)))
    }
}

fn strictest<'a>(rules: impl Iterator<Item = &'a Rule>) -> Option<Verdict> {
    rules.map(of_rule).reduce(Verdict::stricter)
}

fn of_rule(rule: &Rule) -> Verdict {
    let words = rule.describe();
    Verdict::new(rule.action, format!("the rule `{words}` says so"), Source::Rule(words, rule.origin.clone()))
}

/// Returns a level as it is written.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Readonly => "readonly",
        Level::Manual => "manual",
        Level::AcceptEdits => "accept-edits",
        Level::Yolo => "yolo",
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::Rule(words, origin) if origin.file.as_os_str().is_empty() => write!(f, "rule `{words}`"),
            Self::Rule(words, origin) => {
                write!(f, "rule `{words}` in {}:{}", origin.file.display(), origin.line)
            }
            Self::Level(level) => write!(f, "level {}", level_name(*level)),
            Self::Mode(mode) => write!(f, "mode {}", format!("{mode:?}").to_lowercase()),
            Self::Protected => f.write_str("protected path"),
            Self::Approval => f.write_str("approval"),
            Self::Network => f.write_str("what came from the network"),
        }
    }
}

#[cfg(test)]
mod tests;
