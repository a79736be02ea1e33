//! The plugin on a real screen: tmux types, and a person can look at the pictures.
//!
//! With `KKCODE_TEST_PICTURES` set to a folder the pictures are put there; those in neovim/pictures are made in this way.

use std::fs;
use std::path::Path;

use kkcode_tests::{Terminal, skip, svg};

use super::{nvim, repository, server_script, world};

const SIZE: (u16, u16) = (112, 30);

const CODE: &str = "\
local M = {}

--- Greets somebody.
function M.greet(who)
  if who == nil then
    return \"hello\"
  end
  return \"hello \" .. who
end

function M.shout(text)
  return text:upper()
end

return M
";

const MODEL: &str = r#"
turns:
  - stream:
      - text: "I give `greet` a default and let `shout` take numbers, too.\n"
      - tool: {name: edit, input: {path: greet.lua, before: "function M.greet(who)\n  if who == nil then\n    return \"hello\"\n  end\n  return \"hello \" .. who", after: "function M.greet(name)\n  name = name or \"everybody\"\n  return \"hello \" .. name .. \"!\""}}
      - tool: {name: edit, input: {path: greet.lua, before: "  return text:upper()", after: "  return tostring(text):upper()"}}
      - usage: {inputTokens: 1830, outputTokens: 212}
  - stream:
      - text: "**Both** functions are changed:\n\n- `greet` greets *everybody* when nobody is named\n- `shout` takes what is no text\n"
      - usage: {inputTokens: 2110, outputTokens: 48}
"#;

const INIT: &str = r#"
vim.opt.runtimepath:append(vim.env.KKCODE_PLUGIN)
vim.g.kkcode = { server = { cmd = { vim.env.KKCODE_SERVER } } }
vim.o.termguicolors, vim.o.number, vim.o.swapfile, vim.o.laststatus = true, true, false, 3
vim.o.showtabline, vim.o.statusline = 0, " %t %m%=%{v:lua.require'kkcode'.statusline()}  %l:%c "
vim.keymap.set("n", "]h", "<Plug>(kkcode-next)")
"#;

/// Starts Neovim with the plugin in a terminal, as a user would.
fn start(dir: &Path, nvim: &Path) -> Terminal {
    fs::write(dir.join("work/greet.lua"), CODE).unwrap();
    fs::write(dir.join("home/script.yaml"), MODEL).unwrap();
    fs::write(dir.join("home/config.yaml"), "provider: {play: {type: scripted, script: script.yaml}}")
        .unwrap();
    fs::write(dir.join("init.lua"), INIT).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let script = format!(
        "cd '{}' && XDG_STATE_HOME='{}' KKCODE_PLUGIN='{}' KKCODE_SERVER='{}' exec '{}' -u '{}' -i NONE greet.lua",
        text(&dir.join("work")),
        text(&dir.join("state")),
        text(&repository().join("neovim")),
        text(&server_script(dir)),
        text(nvim),
        text(&dir.join("init.lua")),
    );
    let terminal = Terminal::start(dir, SIZE, &["sh", "-c", &script]);
    terminal.shows(&["kkcode: manual"]);
    terminal
}

/// Keeps what is on the screen where a person can look at it.
fn picture(terminal: &Terminal, name: &str, title: &str) {
    if let Some(folder) = std::env::var_os("KKCODE_TEST_PICTURES") {
        fs::create_dir_all(&folder).unwrap();
        let file = Path::new(&folder).join(format!("{name}.svg"));
        fs::write(file, svg(&terminal.colours(), SIZE.0, title)).unwrap();
    }
}

#[test]
fn a_person_sees_hunks_and_both_sides() {
    let test = "neovim::screen::a_person_sees_hunks_and_both_sides";
    let Some(nvim) = nvim("newest") else {
        skip(test, "tests/install/neovim could not install it");
        return;
    };
    if !Terminal::is_possible() {
        skip(test, "there is no tmux");
        return;
    }
    let dir = world();
    let terminal = start(dir.path(), &nvim);

    terminal.keys(&[":Kkcode agent greet everybody, and let shout take numbers", "Enter"]);
    terminal.shows(&[
        "completed · 3,940 in, 260 out",
        "name = name or \"everybody\"",
        "tostring(text)",
        "2 hunks",
    ]);
    // The cursor has stayed in the user's file.
    terminal.keys(&["]", "h"]);
    terminal.shows(&["4:1"]);
    let lines: Vec<_> = terminal.text().lines().map(str::to_owned).collect();
    let row =
        |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}"));
    assert!(
        row("function M.greet(who)") < row("function M.greet(name)"),
        "what comes stands below what goes"
    );
    assert!(row("return text:upper()") < row("return tostring(text):upper()"));
    let colours = terminal.colours();
    assert!(
        colours.contains("\u{1b}[48;2;") || colours.contains(";48;2;"),
        "lines have a colour behind them"
    );
    picture(&terminal, "review", "Neovim with two proposed hunks in the buffer and the session beside it");

    terminal.keys(&[":Kkcode diff", "Enter"]);
    terminal.shows(&["greet.lua: base", "greet.lua: proposed", "tostring(text)"]);
    picture(
        &terminal,
        "diff",
        "Both sides of the file in Neovim's diff mode, the proposed one open for editing",
    );

    // What is accepted there is in the file's buffer.
    terminal.keys(&[":Kkcode accept all", "Enter"]);
    terminal.keys(&[":tabclose", "Enter"]);
    terminal.shows(&["return \"hello \" .. name .. \"!\""]);
    terminal.keys(&[":write", "Enter"]);
    terminal.shows(&["written"]);
    let saved = fs::read_to_string(dir.path().join("work/greet.lua")).unwrap();
    assert!(saved.contains("tostring(text):upper()") && !saved.contains("who"), "{saved}");
}
