//! How the demo ends: what to do next, for the reader's editor and key.

use std::path::Path;

use super::show::Show;
use crate::cli::failure::Failure;
use crate::cli::output::Style;

/// Keys that a provider is found by, and what they are called.
const KEYS: [(&str, &str); 5] = [
    ("ANTHROPIC_API_KEY", "Anthropic"),
    ("OPENAI_API_KEY", "OpenAI"),
    ("DEEPSEEK_API_KEY", "DeepSeek"),
    ("GEMINI_API_KEY", "Gemini"),
    ("OPENROUTER_API_KEY", "OpenRouter"),
];

/// Says what to do next.
pub(super) fn steps(show: &mut Show, kept: Option<&Path>) -> Result<(), Failure> {
    if show.output().is_json() {
        return Ok(());
    }
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let (model, editor) = (model(&set), editor(&|name| std::env::var(name).ok()));
    show.step("Next", "")?;
    let bold = |text: &str| show.output().paint(Style::Bold, text);
    let lines = [
        format!("1. A model   {model}"),
        format!("2. Try it    {}", bold("kkcode-lsp run --mode ask \"what does this project do?\"")),
        format!("3. {editor}"),
    ];
    for line in lines {
        show.line(&line)?;
    }
    show.gap()?;
    match kept {
        Some(folder) => show.line(&format!("The project and its history are in {}.", folder.display())),
        None => show.line("Nothing of this demo is left on your disk; --keep DIR keeps it."),
    }
}

/// Says which model will answer, or how to get one.
fn model(set: &dyn Fn(&str) -> bool) -> String {
    match KEYS.iter().find(|(key, _)| set(key)) {
        Some((key, name)) => format!("{key} is set: {name} will answer"),
        None => "export ANTHROPIC_API_KEY=… (or OPENAI_API_KEY), or start Ollama".to_owned(),
    }
}

/// Says how the reader's own editor gets the server.
fn editor(variable: &dyn Fn(&str) -> Option<String>) -> String {
    let wanted = ["VISUAL", "EDITOR"].into_iter().find_map(variable).unwrap_or_default();
    let name = wanted.split_whitespace().next().unwrap_or_default().rsplit(['/', '\\']).next();
    let name = name.unwrap_or_default();
    if variable("TERM_PROGRAM").as_deref() == Some("vscode") || matches!(name, "code" | "codium") {
        return "VS Code   install the extension in vscode-extension/".to_owned();
    }
    if variable("NVIM").is_some() || matches!(name, "nvim" | "vim" | "vi") {
        return "Neovim    put neovim/ on the runtimepath, then :help kkcode".to_owned();
    }
    match name {
        "hx" | "helix" => {
            "Helix     languages.toml: [language-server.kkcode] command = \"kkcode-lsp\"".to_owned()
        }
        "emacs" | "emacsclient" => "Emacs     M-x eglot, with kkcode-lsp as the server".to_owned(),
        _ => "Editor    start kkcode-lsp as a language server; see README.md".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_own_editor_and_key_are_named() {
        let of = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        assert!(editor(&of(&[("EDITOR", "/usr/bin/nvim -R")])).starts_with("Neovim"));
        assert!(editor(&of(&[("EDITOR", "vi"), ("TERM_PROGRAM", "vscode")])).starts_with("VS Code"));
        assert!(editor(&of(&[("VISUAL", "hx")])).starts_with("Helix"));
        assert!(editor(&of(&[])).starts_with("Editor"));
        assert!(model(&|key| key == "OPENAI_API_KEY").contains("OpenAI will answer"));
        assert!(model(&|_| false).contains("Ollama"));
    }
}
