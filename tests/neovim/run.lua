-- Runs one case in a child Neovim of the same version: nvim --clean -l run.lua FILE CASE SERVER FOLDER
-- FILE is one of cases/; SERVER starts the server; FOLDER has `home` and `work`.

local file, name, server, folder = _G.arg[1], _G.arg[2], _G.arg[3], _G.arg[4]
local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(_G.arg[0], ":p")))
package.path = here .. "/?.lua;" .. package.path

local harness = require("harness")
local cases = dofile(here .. "/cases/" .. file .. ".lua")
local case = assert(cases[name], file .. ".lua has no case " .. name)

local child
local ok, failure = xpcall(function()
  local world = { server = server, folder = folder }
  for path, text in pairs(case.files or {}) do
    harness.write(folder .. "/work/" .. path, text)
  end
  harness.write(folder .. "/home/script.yaml", "turns:\n" .. (case.script or "  - stream: [{text: Nothing.}]\n"))
  harness.write(
    folder .. "/home/config.yaml",
    "provider: {play: {type: scripted, script: script.yaml, default_model: echo}}\n"
  )
  if case.peer then
    world.server = harness.peer(world, case.peer)
  end
  child = harness.child(world, case.options)
  case.run(child, harness, world)
end, debug.traceback)

if not ok and child then
  failure = failure .. "\n" .. child:describe()
end
if child then
  child:close()
end
if not ok then
  io.stderr:write("FAILED: " .. failure .. "\n")
  os.exit(1)
end
os.exit(0)
