-- Neovim without the plugin, set up by the recipe of docs/editors.md and driven by its keys.
-- Run by tests/it/editors/neovim.rs: nvim --headless --clean -l plain.lua CASE FOLDER
-- CASE is a file of plain/; FOLDER/bin/kkcode-lsp is the server and FOLDER/work/notes.txt the file.

local case, folder = _G.arg[1], _G.arg[2]
local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p")))
local patience = 30000

local M = { work = folder .. "/work", file = folder .. "/work/notes.txt" }

function M.lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

function M.fail(message)
  io.stderr:write(("FAILED: %s\nbuffer %s: %s\n"):format(message, vim.api.nvim_buf_get_name(0), vim.inspect(M.lines())))
  io.stderr:write(vim.fn.execute("messages") .. "\n")
  os.exit(1)
end

function M.eventually(what, condition)
  if not vim.wait(patience, condition, 10) then
    M.fail("waited in vain for " .. what)
  end
end

function M.expect(what, actual, expected)
  if not vim.deep_equal(actual, expected) then
    M.fail(what .. ": expected " .. vim.inspect(expected) .. ", got " .. vim.inspect(actual))
  end
end

---Types keys as a user does, mappings and all.
function M.keys(keys)
  vim.cmd.normal(vim.api.nvim_replace_termcodes(keys, true, false, true))
end

---Returns the text of a file, none if there is no such file.
function M.on_disk(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  return text, file and file:close() and nil
end

---Waits until exactly these hunks are listed, by the recipe's key: a line and what its diagnostic says.
function M.hunks_are(expected)
  local listed
  local function same()
    listed = {}
    vim.fn.setloclist(0, {}, "r")
    M.keys("\\l")
    for _, item in ipairs(vim.fn.getloclist(0)) do
      table.insert(listed, item.lnum .. ": " .. vim.split(item.text, "\n")[1])
    end
    vim.cmd.lclose()
    return vim.deep_equal(listed, expected)
  end
  if not vim.wait(patience, same, 20) then
    M.fail("hunks: expected " .. vim.inspect(expected) .. ", got " .. vim.inspect(listed))
  end
end

---Opens the menu of code actions by the recipe's key and takes one.
function M.take(title)
  local titles
  local done = false
  -- luacheck: ignore 122 (a menu is answered here)
  vim.ui.select = function(items, _, on_choice)
    titles = {}
    for index, item in ipairs(items) do
      table.insert(titles, item.action.title)
      if item.action.title == title and not done then
        done = true
        on_choice(item, index)
        return
      end
    end
    on_choice(nil)
  end
  -- A menu without it is what there was before the server had answered: ask again, as a person would.
  local function taken()
    if done then
      return true
    end
    titles = nil
    M.keys("\\a")
    vim.wait(1000, function()
      return titles ~= nil
    end, 10)
    return done
  end
  if not vim.wait(patience, taken, 10) then
    M.fail(("no action %q in %s"):format(title, vim.inspect(titles)))
  end
end

function M.command(name, argument)
  local answers, failure = vim.lsp.buf_request_sync(
    0,
    "workspace/executeCommand",
    { command = name, arguments = { argument or vim.empty_dict() } },
    patience
  )
  local _, answer = next(answers or {})
  if not answer or answer.error then
    M.fail(name .. ": " .. vim.inspect(answer or failure))
  end
  return answer.result
end

---Returns the states of all hunks.
function M.states()
  local list = M.command("kkcode.proposal.list")
  local states = {}
  for _, summary in ipairs(list.proposals) do
    for _, file in ipairs(M.command("kkcode.proposal.show", { proposalId = summary.proposalId }).files) do
      for _, hunk in ipairs(file.hunks) do
        table.insert(states, hunk.state .. (hunk.saved and " and saved" or ""))
      end
    end
  end
  return states
end

function M.states_are(expected)
  M.eventually("states " .. vim.inspect(expected), function()
    return vim.deep_equal(M.states(), expected)
  end)
end

local document = table.concat(vim.fn.readfile(here .. "/../../docs/editors.md"), "\n")
local recipe =
  assert(document:match("\n## Neovim without the plugin[^\n]*\n.-```lua\n(.-)\n```"), "no recipe in docs/editors.md")
vim.fn.setenv("PATH", folder .. "/bin:" .. vim.env.PATH)
vim.cmd("filetype on")
assert(loadstring(recipe, "docs/editors.md"))()
vim.cmd.cd(vim.fn.fnameescape(M.work))
vim.cmd.edit("notes.txt")
M.eventually("the server", function()
  local client = vim.lsp.get_clients({ name = "kkcode" })[1]
  return client and client.initialized
end)
M.keys("gg")
M.take("Do: shout")
dofile(("%s/plain/%s.lua"):format(here, case))(M)
os.exit(0)
