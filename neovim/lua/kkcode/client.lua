--- The server: found, started for each workspace, asked, and started again when it is gone.

local config = require("kkcode.config")
local events = require("kkcode.events")
local program = require("kkcode.program")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---The name of our clients.
M.NAME = "kkcode"

---The server's code for what a state or a rule refuses, and for what it does not have yet.
M.REFUSED = -32803

---One workspace and its server, which may be another process after a while.
---@class kkcode.Server
---The root folder.
---@field root string
---The client of now; none while the server is gone.
---@field client? vim.lsp.Client
---The number of the last durable event that we were told.
---@field seq? integer
---How often it ended by itself since it last worked.
---@field failures integer
---Whether the user wants it to stay away.
---@field stopped boolean
---Whether a start waits for its time.
---@field waiting boolean
---The buffers that it had when it went away.
---@field buffers integer[]

---@type table<string, kkcode.Server>
local servers = {}

---@return string folder kkcode's home
local function home()
  return vim.fs.normalize(config.get().server.home or vim.env.KKCODE_HOME or "~/.kkcode")
end

---Returns the root folder of a buffer's workspace.
---@param buffer integer
---@return string
function M.root(buffer)
  local name = vim.fs.normalize(vim.api.nvim_buf_get_name(buffer))
  for above in vim.fs.parents(name) do
    for _, marker in ipairs(config.get().root_markers) do
      local path = vim.fs.normalize(above .. "/" .. marker)
      -- kkcode's own home has the name of a marker; it does not make a workspace of all that the user has.
      if path ~= home() and vim.uv.fs_stat(path) then
        return above
      end
    end
  end
  local folder, working = vim.fs.dirname(name), vim.fs.normalize(vim.fn.getcwd())
  return vim.startswith(folder .. "/", working .. "/") and working or folder
end

---@param root string
---@return kkcode.Server
local function server_of(root)
  servers[root] = servers[root] or { root = root, failures = 0, stopped = false, waiting = false, buffers = {} }
  return servers[root]
end

---@return kkcode.Server[]
function M.servers()
  local all = vim.tbl_values(servers)
  table.sort(all, function(a, b)
    return a.root < b.root
  end)
  return all
end

---Returns the server of the current buffer, else the only one, else that of the working directory.
---@return kkcode.Server?
function M.current()
  local buffer = vim.api.nvim_get_current_buf()
  local owner = vim.b[buffer].kkcode_root
  if owner and servers[owner] then
    return servers[owner]
  end
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = buffer, name = M.NAME })) do
    for _, server in pairs(servers) do
      if server.client and server.client.id == client.id then
        return server
      end
    end
  end
  local all = M.servers()
  if #all == 1 then
    return all[1]
  end
  local working = vim.fs.normalize(vim.fn.getcwd())
  for _, server in ipairs(all) do
    if vim.startswith(working .. "/", server.root .. "/") then
      return server
    end
  end
  return all[1]
end

---Tells whether the server answers at the moment.
---@param server kkcode.Server
---@return boolean
function M.is_up(server)
  return server.client ~= nil and not server.client:is_stopped() and server.client.initialized == true
end

---@alias kkcode.Answered fun(failure: { code?: integer, message: string }?, result: any)

---Sends a request. The answer comes later, or at once when there is nobody to ask.
---@param server kkcode.Server?
---@param method string
---@param params table
---@param answer kkcode.Answered
function M.request(server, method, params, answer)
  if not server or not M.is_up(server) then
    local away = server and "the server of " .. server.root .. " is not running; `:Kkcode restart` starts it"
      or "no server is running here; open a file first"
    return answer({ message = away }, nil)
  end
  local client = server.client --[[@as vim.lsp.Client]]
  local handler = function(failure, result)
    answer(failure, result)
  end
  if next(params) == nil then
    params = vim.empty_dict()
  end
  if vim.fn.has("nvim-0.11") == 1 then
    client:request(method --[[@as any]], params, handler)
  else
    -- Neovim 0.10 has functions here, not methods.
    local ask = client.request --[[@as function]]
    ask(method, params, handler)
  end
end

---Sends a notification.
---@param server kkcode.Server
---@param method string
---@param params table
function M.notify(server, method, params)
  local client = server.client
  if not client then
    return
  end
  if vim.fn.has("nvim-0.11") == 1 then
    client:notify(method --[[@as any]], params)
  else
    local tell = client.notify --[[@as function]]
    tell(method, params)
  end
end

---Executes a command of the server's. A failure is shown to the user, unless `answer` is one that takes it.
---@param server kkcode.Server?
---@param name string
---@param argument table
---@param done? fun(result: any)
---@param failed? fun(failure: { code?: integer, message: string })
function M.command(server, name, argument, done, failed)
  if next(argument) == nil then
    argument = vim.empty_dict()
  end
  local params = { command = name, arguments = { argument } }
  M.request(server, "workspace/executeCommand", params, function(failure, result)
    if failure then
      (failed or ui.failed)(failure)
    elseif done then
      done(result)
    end
  end)
end

---Takes no notice of a failure: for what is only nice to know, and may not be there yet.
function M.unheeded() end

---Hears a notification of ours.
---@param server kkcode.Server
---@param method string
---@param params table
local function hear(server, method, params)
  if params.seq then
    server.seq = math.max(server.seq or 0, params.seq)
  end
  events.tell(method, { server = server, params = params })
end

---The notification that tells the same as a durable event.
---@type table<string, string>
local notification_of = {
  turnFinished = protocol.notifications.turn_did_finish,
  proposalChanged = protocol.notifications.proposal_did_change,
  taskChanged = protocol.notifications.task_did_change,
  permissionAsked = protocol.notifications.permission_did_ask,
  permissionResolved = protocol.notifications.permission_did_resolve,
  questionAsked = protocol.notifications.question_did_ask,
  questionResolved = protocol.notifications.question_did_resolve,
}

---Hears again what the server said while nobody listened.
---@param server kkcode.Server
local function catch_up(server)
  if not server.seq then
    return
  end
  M.request(server, protocol.requests.events_since, { seq = server.seq }, function(failure, result)
    if failure then
      return
    end
    for _, event in ipairs(result.events) do
      local method = notification_of[event.kind]
      -- Those of a task's inside are the task's; its record tells what concerns us.
      if method and (not event.taskId or event.kind ~= "turnFinished") then
        hear(server, method, event)
      end
    end
    for _, turn in ipairs(result.turns) do
      events.tell("turn/text", { server = server, turnId = turn.turnId, text = turn.text })
    end
    server.seq = math.max(server.seq, result.nextSeq)
    if #result.events > 0 then
      catch_up(server)
    end
  end)
end

---Returns the server whose process of now is that client.
---@param client_id integer
---@return kkcode.Server?
local function server_of_client(client_id)
  for _, server in pairs(servers) do
    if server.client and server.client.id == client_id then
      return server
    end
  end
end

---@return table<string, function>
local function handlers()
  local all = {}
  for _, method in pairs(protocol.notifications) do
    all[method] = function(_, params, context)
      local server = server_of_client(context.client_id)
      if server then
        hear(server, method, params)
      end
    end
  end
  all[protocol.requests.document_save] = function(_, params)
    return require("kkcode.documents").save(params.uri)
  end
  all["workspace/applyEdit"] = function(failure, result, context)
    require("kkcode.documents").close_undo_steps(result.edit)
    return vim.lsp.handlers["workspace/applyEdit"](failure, result, context)
  end
  all["window/showDocument"] = function(failure, result, context)
    local server = server_of_client(context.client_id)
    if server and require("kkcode.diff").show_document(server, result) then
      return { success = true }
    end
    return vim.lsp.handlers["window/showDocument"](failure, result, context)
  end
  return all
end

---Neovim's own capabilities, and that we know the server's notifications.
---@return lsp.ClientCapabilities
local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.experimental = { kkcode = { protocolVersion = protocol.PROTOCOL_VERSION } }
  return all
end

---@param server kkcode.Server
---@param client vim.lsp.Client
local function came(server, client)
  server.client, server.waiting = client, false
  events.tell("server", { server = server })
  events.emit("ServerStarted", { root = server.root, clientId = client.id })
  catch_up(server)
end

---@type fun(server: kkcode.Server)
local start_later

---@param server kkcode.Server
---@param code integer
---@param signal integer
local function went(server, code, signal)
  server.client = nil
  events.emit("ServerStopped", { root = server.root, code = code, signal = signal })
  if not server.stopped and vim.v.exiting == vim.NIL then
    start_later(server)
  end
end

---@param root string
---@return table
local function initialization_options(root)
  local given = config.get().server
  local trusted = given.trusted
  if type(trusted) == "function" then
    trusted = trusted(root)
  end
  return {
    config = next(given.config) and given.config or nil,
    home = given.home or nil,
    trusted = trusted,
  }
end

---What `vim.lsp.config.kkcode` says by itself; see `lsp/kkcode.lua`.
---@return table
function M.lsp_config()
  return {
    name = M.NAME,
    cmd = program.cmd() or { "kkcode-lsp" },
    cmd_env = config.get().server.env,
    capabilities = capabilities(),
    handlers = handlers(),
    root_dir = function(buffer, start)
      if M.is_file(buffer) then
        start(M.root(buffer))
      end
    end,
    before_init = function(params, resolved)
      local root = vim.fs.normalize(resolved.root_dir)
      params.initializationOptions =
        vim.tbl_extend("keep", params.initializationOptions or {}, initialization_options(root))
      if next(params.initializationOptions) == nil then
        params.initializationOptions = vim.empty_dict()
      end
    end,
    on_init = function(client)
      came(server_of(vim.fs.normalize(client.config.root_dir)), client)
    end,
    on_exit = function(code, signal, client_id)
      vim.schedule(function()
        local server = server_of_client(client_id)
        if server then
          went(server, code, signal)
        end
      end)
    end,
  }
end

---What the user made of it with `vim.lsp.config`, where that is there.
---@return table
local function resolved_config()
  local configs = vim.fn.has("nvim-0.11") == 1 and vim.lsp.config --[[@as table<string, vim.lsp.Config>?]]
  local found = configs and configs[M.NAME]
  return found and vim.deepcopy(found) or M.lsp_config()
end

---Returns the path of Neovim's log of language servers, which has what ours writes to stderr.
---@return string
function M.log_path()
  return vim.lsp.log and vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
end

---Tells whether a buffer is a file of the user's, on the disk or on its way there; the log is none.
---@param buffer integer
---@return boolean
function M.is_file(buffer)
  if not vim.api.nvim_buf_is_loaded(buffer) or vim.bo[buffer].buftype ~= "" then
    return false
  end
  local name = vim.api.nvim_buf_get_name(buffer)
  return name ~= "" and name ~= M.log_path() and not name:find("^%a[%w+.-]+:/") and vim.fn.isdirectory(name) == 0
end

---Starts the server for a buffer, or gives the buffer to the one that runs.
---@param buffer integer
function M.attach(buffer)
  if not M.is_file(buffer) then
    return
  end
  local root = M.root(buffer)
  local server = server_of(root)
  if server.stopped or server.waiting then
    if server.waiting and not vim.list_contains(server.buffers, buffer) then
      table.insert(server.buffers, buffer)
    end
    return
  end
  local resolved = resolved_config()
  if not program.is_there(resolved.cmd) then
    return
  end
  resolved.root_dir = root
  local id = vim.lsp.start(resolved --[[@as vim.lsp.ClientConfig]], { bufnr = buffer })
  local client = id and vim.lsp.get_client_by_id(id)
  if client and not server.client then
    server.client = client
  end
  if not vim.list_contains(server.buffers, buffer) then
    table.insert(server.buffers, buffer)
  end
end

---@param server kkcode.Server
local function start_now(server)
  server.waiting = false
  local buffers = vim.tbl_filter(M.is_file, server.buffers)
  server.buffers = {}
  for _, buffer in ipairs(buffers) do
    M.attach(buffer)
  end
end

function start_later(server)
  local restart = config.get().restart
  if server.failures >= restart.attempts then
    server.stopped = true
    local advice = "`:Kkcode log` may say why, `:Kkcode restart` tries again"
    local times = ("the server ended %d times in a row and is left alone now; "):format(server.failures)
    ui.notify(times .. advice, vim.log.levels.ERROR)
    return
  end
  local delay = math.floor(math.min(restart.delay_ms * 2 ^ server.failures, restart.max_delay_ms))
  server.failures = server.failures + 1
  server.waiting = true
  vim.defer_fn(function()
    if server.waiting and not server.stopped then
      start_now(server)
    end
  end, delay)
end

---Stops a server for good: until the user starts it again.
---@param server kkcode.Server
function M.stop(server)
  server.stopped, server.waiting = true, false
  local client = server.client
  if client then
    if vim.fn.has("nvim-0.11") == 1 then
      client:stop()
    else
      local stop = client.stop --[[@as function]]
      stop()
    end
  end
end

---Starts a server again, whether it runs or not.
---@param server kkcode.Server
function M.restart(server)
  local start = function()
    server.stopped, server.failures = false, 0
    start_now(server)
  end
  local client = server.client
  if not client then
    return start()
  end
  M.stop(server)
  local timer = assert(vim.uv.new_timer())
  timer:start(20, 20, function()
    vim.schedule(function()
      if not server.client and not timer:is_closing() then
        timer:close()
        start()
      end
    end)
  end)
end

---Says that it works: the next failure is the first again.
---@param server kkcode.Server
function M.works(server)
  server.failures = 0
end

---Starts the server for every file that is open, after it has been built.
function M.attach_all()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    M.attach(buffer)
  end
end

return M
