-- The thin road in a real Neovim: a turn, its hunk as a code action, the buffer, a kill, and the same again.
-- Run by tests/it/neovim.rs: nvim --headless --clean -l thread.lua SERVER FOLDER
-- SERVER starts the server and writes its process id to FOLDER/pid; FOLDER/work/a b.txt is the file.

local server, folder = _G.arg[1], _G.arg[2]
local file = folder .. "/work/a b.txt"
local patience = 30000

local function fail(message)
  io.stderr:write("FAILED: " .. message .. "\n")
  os.exit(1)
end

local function eventually(what, condition)
  if not vim.wait(patience, condition, 10) then
    fail("waited in vain for " .. what .. "\nbuffer: " .. vim.inspect(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
  end
end

local function expect(what, actual, expected)
  if not vim.deep_equal(actual, expected) then
    fail(what .. ": expected " .. vim.inspect(expected) .. ", got " .. vim.inspect(actual))
  end
  io.stdout:write("ok: " .. what .. "\n")
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function start()
  local id = vim.lsp.start({ name = "kkcode", cmd = { server }, root_dir = folder .. "/work" }, { bufnr = 0 })
  if not id then
    fail("vim.lsp.start gave no client")
  end
  local client = vim.lsp.get_client_by_id(id)
  eventually("the handshake", function()
    return client.initialized
  end)
  return client
end

local function request(method, params)
  local answers, failure = vim.lsp.buf_request_sync(0, method, params, patience)
  if not answers then
    fail(method .. ": " .. tostring(failure))
  end
  local _, answer = next(answers)
  if not answer or answer.error then
    fail(method .. ": " .. vim.inspect(answer))
  end
  return answer.result
end

local function command(name, argument)
  return request("workspace/executeCommand", { command = name, arguments = { argument } })
end

local function hunk(proposal)
  return command("kkcode.proposal.show", { proposalId = proposal }).files[1].hunks[1]
end

vim.cmd.edit(vim.fn.fnameescape(file))
local client = start()
expect("the server", client.server_capabilities.executeCommandProvider ~= nil, true)

local turn = command("kkcode.turn.start", { prompt = "shout" })
eventually("the end of the turn", function()
  return command("kkcode.turn.show", { turnId = turn.turnId }).status ~= "running"
end)
local shown = command("kkcode.turn.show", { turnId = turn.turnId })
expect("how the turn ended", shown.status, "completed")
local proposal = shown.proposalIds[1]
expect("the state of the hunk", hunk(proposal).state, "pending")
expect("the buffer before", lines(), { "öne", "two", "three" })

-- The user types above: the hunk goes along.
vim.api.nvim_buf_set_lines(0, 0, 0, false, { "zero" })
-- Without keys between them a script's changes are one undo step; this closes the step, as a key would.
vim.cmd("let &undolevels = &undolevels")
vim.api.nvim_win_set_cursor(0, { 3, 0 })
vim.lsp.buf.code_action({
  apply = true,
  filter = function(action)
    return action.title == "Accept hunk"
  end,
})
eventually("the accepted text", function()
  return vim.deep_equal(lines(), { "zero", "öne", "TWO", "three" })
end)
expect("the buffer after the accept", lines(), { "zero", "öne", "TWO", "three" })
eventually("the state accepted", function()
  return hunk(proposal).state == "accepted"
end)
local accepted = hunk(proposal)
expect("whether it is final before a save", accepted.saved, false)

-- One undo step takes the accept back, one redo brings it again.
vim.cmd.undo()
expect("the buffer after u", lines(), { "zero", "öne", "two", "three" })
eventually("the state pending after u", function()
  return hunk(proposal).state == "pending"
end)
vim.cmd.redo()
eventually("the state accepted after redo", function()
  return hunk(proposal).state == "accepted"
end)

-- Killed, and started again on the same home.
local pid = tonumber(vim.fn.readfile(folder .. "/pid")[1])
vim.uv.kill(pid, "sigkill")
eventually("the end of the server", function()
  return vim.lsp.get_client_by_id(client.id) == nil
end)
local again = start()
expect("another server", again.id ~= client.id and tonumber(vim.fn.readfile(folder .. "/pid")[1]) ~= pid, true)
local after = hunk(proposal)
expect("the hunk's name after the kill", after.hunkId, accepted.hunkId)
expect("the state after the kill", after.state, "accepted")
expect("the buffer after the kill", lines(), { "zero", "öne", "TWO", "three" })

vim.cmd.write()
eventually("the final state after a save", function()
  return hunk(proposal).saved == true
end)
expect("the file after a save", vim.fn.readfile(file), { "zero", "öne", "TWO", "three" })
os.exit(0)
