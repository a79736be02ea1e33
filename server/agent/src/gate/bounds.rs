//! The bounds of a subagent: which tools it has and which files it may change, whatever else is allowed.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use kkcode_core::permission::engine::{Action, Call};
use kkcode_core::task::Delegate;

/// The bounds of a subagent in a folder.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) delegate: Arc<Delegate>,
    /// What the paths of the write scope are relative to.
    pub(super) folder: PathBuf,
}

impl Bounds {
    /// Says why a call of this tool is refused; none when it is within the bounds.
    pub(super) fn refuses(&self, tool: &str, call: &Call) -> Option<String> {
        let Delegate { subagent, tools, write_scope, .. } = &*self.delegate;
        if let Some(tools) = tools
            && !tools.iter().any(|given| given == tool)
        {
            return Some(format!(
                "the subagent `{subagent}` was not given the tool `{tool}`; it has: {}",
                tools.join(", ")
            ));
        }
        let (Some(scope), Action::Files { writes, .. }) = (write_scope, &call.action) else { return None };
        let outside = writes.iter().find(|path| !self.is_within(path, scope))?;
        Some(match scope.as_slice() {
            [] => format!("the subagent `{subagent}` changes no files, and `{outside}` is one"),
            scope => {
                format!("`{outside}` is outside of the write scope of this subagent: {}", scope.join(", "))
            }
        })
    }

    fn is_within(&self, path: &str, scope: &[String]) -> bool {
        let path = self.folder.join(path);
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        !goes_up && scope.iter().any(|entry| path.starts_with(self.folder.join(Path::new(entry))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(tools: Option<&[&str]>, scope: Option<&[&str]>, tool: &str, write: &str) -> Option<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let delegate = Delegate {
            subagent: "sub".to_owned(),
            tools: tools.map(texts),
            write_scope: scope.map(texts),
            ..Delegate::default()
        };
        let bounds = Bounds { delegate: Arc::new(delegate), folder: PathBuf::from("/folder") };
        let action =
            Action::Files { reads: Vec::new(), writes: vec![write.to_owned()], detail: String::new() };
        bounds.refuses(tool, &Call { tool: tool.to_owned(), action })
    }

    #[test]
    fn a_tool_that_was_not_given_is_refused() {
        assert_eq!(refusal(None, None, "edit", "/folder/a"), None);
        assert_eq!(refusal(Some(&["read", "edit"]), None, "edit", "/folder/a"), None);
        let reason = refusal(Some(&["read"]), None, "edit", "/folder/a").unwrap();
        assert!(reason.contains("was not given the tool `edit`"), "{reason}");
    }

    #[test]
    fn a_file_outside_of_the_write_scope_is_refused() {
        let scope: Option<&[&str]> = Some(&["src/parser", "a.txt"]);
        for path in ["/folder/src/parser/mod.rs", "/folder/src/parser", "/folder/a.txt", "a.txt"] {
            assert_eq!(refusal(None, scope, "write", path), None, "{path}");
        }
        for path in ["/folder/src/parser2.rs", "/folder/b.txt", "/a.txt", "src/parser/../../b.txt"] {
            assert!(refusal(None, scope, "write", path).is_some(), "{path}");
        }
        assert!(refusal(None, Some(&[]), "write", "/folder/a.txt").is_some());
    }
}
