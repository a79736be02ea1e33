-- A server that plays what a case says, for what only a model, another editor or a worker would make the real one say:
-- nvim --headless --clean -l peer.lua SCRIPT
-- SCRIPT returns a table from the name of a command or request to a function of its argument, `tell`, the state and `ask`.

local answers = dofile(_G.arg[1])
local state = {}

local function send(message)
  message.jsonrpc = "2.0"
  local body = vim.json.encode(message)
  io.stdout:write(("Content-Length: %d\r\n\r\n%s"):format(#body, body))
  io.stdout:flush()
end

local function tell(method, params)
  send({ method = method, params = params })
end

---What is done with the client's answers, by the name of our request.
local waiting = {}

local function ask(method, params, answered)
  local id = "peer-" .. vim.tbl_count(waiting)
  waiting[id] = answered
  send({ id = id, method = method, params = params })
end

local is_over = false

local function receive(message)
  if message.method == "exit" then
    is_over = true
  elseif message.method == "initialize" then
    send({
      id = message.id,
      result = {
        serverInfo = { name = "kkcode-lsp", version = "peer" },
        capabilities = {
          textDocumentSync = 1,
          executeCommandProvider = { commands = {} },
          experimental = { kkcode = { protocolVersion = 1 } },
        },
      },
    })
  elseif message.method == "shutdown" then
    send({ id = message.id, result = vim.NIL })
  elseif message.id and message.method then
    local name, argument = message.method, message.params
    if name == "workspace/executeCommand" then
      name, argument = argument.command, argument.arguments[1]
    end
    local answer = answers[name]
    if answer then
      send({ id = message.id, result = answer(argument, tell, state, ask) or vim.empty_dict() })
    else
      send({ id = message.id, error = { code = -32803, message = ("`%s` is not there yet"):format(name) } })
    end
  elseif message.method and answers[message.method] then
    answers[message.method](message.params, tell, state, ask)
  elseif message.id and waiting[message.id] then
    waiting[message.id](message.result, message.error)
  end
end

local buffer = ""
local input = assert(vim.uv.new_pipe())
input:open(0)
input:read_start(vim.schedule_wrap(function(_, bytes)
  if not bytes then
    is_over = true
    return
  end
  buffer = buffer .. bytes
  while true do
    local header_end = buffer:find("\r\n\r\n", 1, true)
    local length = header_end and tonumber(buffer:sub(1, header_end):match("Content%-Length: (%d+)"))
    if not length or #buffer < header_end + 3 + length then
      return
    end
    local body = buffer:sub(header_end + 4, header_end + 3 + length)
    buffer = buffer:sub(header_end + 4 + length)
    receive(vim.json.decode(body, { luanil = { object = true } }))
  end
end))
vim.wait(2 ^ 31 - 1, function()
  return is_over
end, 5)
os.exit(0)
