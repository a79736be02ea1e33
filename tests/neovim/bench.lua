-- Measures a file with 500 hunks: nvim --clean -l bench.lua SERVER FOLDER
-- SERVER starts the server; FOLDER has `home` and `work`. Prints the rows of the table in tests/benches/README.md.

local server, folder = _G.arg[1], _G.arg[2]
local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(_G.arg[0], ":p")))
package.path = here .. "/?.lua;" .. package.path

local harness = require("harness")

local HUNKS = 500
local LINES_FOR_EACH = 8

local lines, changed = {}, {}
for hunk = 1, HUNKS do
  lines[#lines + 1] = ("local value_%d = compute(%d)"):format(hunk, hunk)
  changed[#lines] = ("local value_%d = compute(%d, true)"):format(hunk, hunk)
  for _ = 2, LINES_FOR_EACH do
    lines[#lines + 1] = ("-- what value %d is for"):format(hunk)
    changed[#lines] = lines[#lines]
  end
end
harness.write(folder .. "/work/a.lua", table.concat(lines, "\n") .. "\n")
-- JSON is YAML.
local edit = { path = "a.lua", before = table.concat(lines, "\n"), after = table.concat(changed, "\n") }
local step = vim.json.encode({ stream = { { tool = { name = "edit", input = edit } } } })
harness.write(folder .. "/home/script.yaml", "turns:\n  - " .. step .. "\n  - stream: [{text: Done.}]\n")
harness.write(folder .. "/home/config.yaml", "provider: {play: {type: scripted, script: script.yaml}}\n")

---@param what string
---@param from integer in nanoseconds
local function row(what, from)
  io.stdout:write(("| %s | %.0f |\n"):format(what, (vim.uv.hrtime() - from) / 1e6))
end

---How long the longest wait of Neovim's main loop was since the last time this was asked, in milliseconds.
---@param child kkcode.test.Child
---@return number
local function longest_wait(child)
  return child:lua([[
    local longest = _G.longest or 0
    _G.longest = 0
    return longest
  ]])
end

local world = { server = server, folder = folder }
local first = harness.child(world)
first:edit("a.lua")
first:turn("edit all")
first:has_hunks(HUNKS)
first:close()

local child = harness.child(world)
child:lua([[
  local last
  local timer = vim.uv.new_timer()
  timer:start(0, 1, function()
    local now = vim.uv.hrtime()
    _G.longest = math.max(_G.longest or 0, (now - (last or now)) / 1e6)
    last = now
  end)
]])
local started = vim.uv.hrtime()
child:edit("a.lua")
child:has_hunks(HUNKS)
child:eventually("what is visible", function()
  return #child:marks("kkcode.hunks") > 0
end)
row("open, with all hunks known and the visible ones drawn", started)
longest_wait(child)

started = vim.uv.hrtime()
local pages = 100
for _ = 1, pages do
  child:keys("<C-f>")
  child:lua("vim.cmd.redraw()")
end
row(("scroll %d pages"):format(pages), started)
io.stdout:write(("| longest wait of the main loop meanwhile | %.0f |\n"):format(longest_wait(child)))

started = vim.uv.hrtime()
child:keys(":Kkcode accept all<CR>")
child:has_hunks(0)
row("accept all, until the last one is gone", started)
io.stdout:write(("| longest wait of the main loop meanwhile | %.0f |\n"):format(longest_wait(child)))
child:close()
os.exit(0)
