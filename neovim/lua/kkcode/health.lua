--- `:checkhealth kkcode`: what is there, what is missing, and what to do about it.

local client = require("kkcode.client")
local config = require("kkcode.config")
local protocol = require("kkcode.protocol")

local M = {}

local health = vim.health

---How long a program or the server may take, in milliseconds.
local PATIENCE = 5000

---@param command string[]
---@param environment? table<string, string> besides Neovim's own
---@return string output also of a program that failed
---@return string? failure
local function output_of(command, environment)
  local options = { text = true, timeout = PATIENCE, env = environment }
  local started, process = pcall(vim.system, command, options)
  if not started then
    return "", tostring(process)
  end
  local done = process:wait()
  local failure = done.code ~= 0 and vim.trim(done.stderr ~= "" and done.stderr or ("exit status " .. done.code)) or nil
  return vim.trim(done.stdout or ""), failure
end

---@param server kkcode.Server
---@param name string
---@return any result
---@return string? failure
local function ask(server, name)
  local answered, result, failure = false, nil, nil
  client.request(
    server,
    "workspace/executeCommand",
    { command = name, arguments = { vim.empty_dict() } },
    function(e, r)
      answered, result, failure = true, r, e and e.message
    end
  )
  vim.wait(PATIENCE, function()
    return answered
  end, 10)
  return result, answered and failure or not answered and "no answer came" or nil
end

local function check_neovim()
  health.start("kkcode: Neovim")
  local version = vim.fn.execute("version"):match("NVIM (%S+)") or "of an unknown version"
  if vim.fn.has("nvim-0.10") == 1 then
    health.ok("Neovim " .. version)
  else
    health.error("Neovim " .. version .. " is too old", "install Neovim 0.10 or newer")
  end
  local problems = config.problems()
  if #problems == 0 then
    health.ok("the options are right")
  end
  for _, problem in ipairs(problems) do
    health.warn(problem, "`:help kkcode-options` lists the options")
  end
  if vim.fn.has("nvim-0.11") == 1 and not config.get().autostart and not vim.lsp.is_enabled then
    health.info("the server is not started by itself; `vim.lsp.enable('kkcode')` does that")
  end
end

---@return string[]? cmd
local function check_binary()
  health.start("kkcode: server")
  local cmd, found = require("kkcode.program").cmd()
  if not cmd then
    health.error("there is no program `kkcode-lsp`", {
      "run `:Kkcode build`, which needs Rust, or",
      "run `cargo install --path server/lsp` in the sources, or",
      "set the option `server.cmd`",
    })
    return nil
  end
  local version, failure = output_of(vim.list_extend({ cmd[1] }, { "--version" }))
  if not failure then
    health.ok(("%s (%s), found by %s"):format(cmd[1], version, found))
  else
    health.error(("%s does not run: %s"):format(cmd[1], failure), "build it again: `:Kkcode build`")
  end
  return cmd
end

---@param server kkcode.Server
local function check_handshake(server)
  local running = assert(server.client, "only servers that run are checked")
  local info = running.server_info
  local capability = vim.tbl_get(running.server_capabilities or {}, "experimental", "kkcode") or {}
  local version = capability.protocolVersion
  if version == protocol.PROTOCOL_VERSION then
    local name = info and (" of %s %s"):format(info.name, info.version or "") or ""
    health.ok(("version %d of the protocol%s, at %s"):format(version, name, server.root))
  else
    health.error(
      ("the server speaks version %s of the protocol and this plugin %d"):format(version, protocol.PROTOCOL_VERSION),
      {
        "bring both to the same version: `:Kkcode build`, then `:Kkcode restart`",
      }
    )
  end
end

---@param server kkcode.Server
local function check_status(server)
  local status, failure = ask(server, protocol.commands.status)
  if not status then
    health.error("the server does not say how things stand: " .. failure, "`:Kkcode log` may say why")
    return
  end
  health.info("permission level " .. status.level)
  if status.trusted then
    health.ok("the workspace is trusted")
  else
    health.warn(
      "the workspace is not trusted: its own configuration and higher levels are off",
      "`:Kkcode trust`, if you know what is in it"
    )
  end
end

---@param server kkcode.Server
local function check_models(server)
  health.start("kkcode: models")
  local result, failure = ask(server, protocol.commands.model_list)
  if not result then
    health.info("the models cannot be listed: " .. failure)
    return
  end
  if #result.models == 0 then
    health.error("no provider is configured", {
      "set ANTHROPIC_API_KEY or OPENAI_API_KEY before Neovim starts, or",
      "write a `provider` into ~/.kkcode/config.yaml",
    })
  end
  for _, model in ipairs(result.models) do
    local mark = model.model == result.selected and " (selected)" or ""
    if model.unavailable then
      health.warn(model.model .. mark .. ": " .. model.unavailable)
    else
      health.ok(model.model .. mark)
    end
  end
end

---What the server's own doctor finds on this machine: it looks for keys, and tells none.
---@param cmd string[]
---@param is_up boolean whether a server was asked about its trust and its models
local function check_machine(cmd, is_up)
  health.start("kkcode: this machine")
  local said = { version = true, log = true, trust = is_up, model = is_up }
  local given = config.get().server
  local environment = vim.tbl_extend("force", { KKCODE_HOME = given.home or nil }, given.env)
  local output, failure = output_of({ cmd[1], "doctor", "--json" }, environment)
  local read, report = pcall(vim.json.decode, output)
  -- It ends with status 1 when no turn can be started, and says why.
  if not read or type(report) ~= "table" then
    health.error(("`%s doctor` says nothing: %s"):format(cmd[1], failure or "its answer cannot be read"))
    return
  end
  local unsaid = vim.tbl_filter(function(check)
    return not said[check.name]
  end, report.checks)
  for _, check in ipairs(unsaid) do
    local text = ("%s: %s"):format(check.name, check.message)
    if check.status == "ok" then
      health.ok(text)
    elseif check.status == "missing" then
      health.info(text .. (check.advice and " – " .. check.advice or ""))
    else
      health.error(text, check.advice)
    end
  end
end

local function check_log()
  local path = client.log_path()
  health.info("log: " .. path .. " (more with KKCODE_LOG=debug in `server.env`)")
end

---Checks everything.
function M.check()
  check_neovim()
  local cmd = check_binary()
  local up = vim.tbl_filter(client.is_up, client.servers())
  if cmd and #up == 0 then
    health.info("no server runs at the moment; it starts with the first file")
  end
  for _, server in ipairs(up) do
    check_handshake(server)
    check_status(server)
  end
  if up[1] then
    check_models(up[1])
  end
  if cmd then
    check_machine(cmd, up[1] ~= nil)
  end
  check_log()
end

return M
