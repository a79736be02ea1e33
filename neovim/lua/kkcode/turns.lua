--- Turns: started, followed piece by piece, and told when they end.

local client = require("kkcode.client")
local config = require("kkcode.config")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---One thing that a turn did, in the order in which it happened.
---@class kkcode.TurnItem
---@field kind "text"|"thinking"|"tool"|"plan"
---@field text? string of text and thinking
---@field callId? string of a tool
---@field tool? string
---@field title? string
---@field status? kkcode.ToolStatus none while the tool works
---@field summary? string
---@field entries? kkcode.PlanEntry[] of a plan

---@class kkcode.KnownTurn
---@field server kkcode.Server
---@field turnId string
---@field sessionId? string
---@field prompt? string
---@field status kkcode.TurnStatus
---@field items kkcode.TurnItem[]
---@field reply string what it said so far
---@field length integer of the reply, in code units of the client's encoding
---@field usage? kkcode.Usage
---@field error? kkcode.ErrorInfo
---@field reason? kkcode.InterruptionReason
---@field proposalIds string[]

---@type table<string, kkcode.KnownTurn>
local known = {}

---The turns of each session, oldest first.
---@type table<string, string[]>
local of_session = {}

---The session of the last turn that was started here.
---@type string?
local last_session

local IS_OVER = { completed = true, cancelled = true, interrupted = true, failed = true, budget_exhausted = true }

---@param id string
---@return kkcode.KnownTurn?
function M.get(id)
  return known[id]
end

---Returns the session of the last turn that was started here.
---@return string?
function M.last_session()
  return last_session
end

---Returns what we know of a session's turns, oldest first.
---@param session_id string
---@return kkcode.KnownTurn[]
function M.of_session(session_id)
  return vim.tbl_map(function(id)
    return known[id]
  end, of_session[session_id] or {})
end

---Returns the turns that are running or waiting.
---@return kkcode.KnownTurn[]
function M.running()
  return vim.tbl_filter(function(turn)
    return not IS_OVER[turn.status]
  end, vim.tbl_values(known))
end

---@param turn kkcode.KnownTurn
---@return boolean
function M.is_over(turn)
  return IS_OVER[turn.status] == true
end

---@param turn kkcode.KnownTurn
local function changed(turn)
  if turn.sessionId then
    events.tell("turn", { turn = turn, session = turn.sessionId })
  end
end

---@param turn kkcode.KnownTurn
---@param session_id string
local function put_into_session(turn, session_id)
  if turn.sessionId == session_id then
    return
  end
  turn.sessionId = session_id
  of_session[session_id] = of_session[session_id] or {}
  table.insert(of_session[session_id], turn.turnId)
end

---@param server kkcode.Server
---@param text string
---@return integer
local function units(server, text)
  local encoding = server.client and server.client.offset_encoding or "utf-16"
  if encoding == "utf-8" then
    return #text
  end
  return encoding == "utf-32" and vim.fn.strchars(text) or vim.fn.strutf16len(text)
end

---@param turn kkcode.KnownTurn
---@param kind "text"|"thinking"
---@param text string
local function append(turn, kind, text)
  local last = turn.items[#turn.items]
  if last and last.kind == kind then
    last.text = last.text .. text
  else
    table.insert(turn.items, { kind = kind, text = text })
  end
  if kind == "text" then
    turn.reply = turn.reply .. text
    turn.length = turn.length + units(turn.server, text)
  end
end

---Takes the reply of a record; what we have of it stays where it is.
---@param turn kkcode.KnownTurn
---@param reply string what was said so far, or in the end, which is what the last step said
local function take_reply(turn, reply)
  if vim.endswith(vim.trim(turn.reply), vim.trim(reply)) then
    return
  end
  if vim.startswith(reply, turn.reply) then
    return append(turn, "text", reply:sub(#turn.reply + 1))
  end
  turn.items = vim.tbl_filter(function(item)
    return item.kind ~= "text"
  end, turn.items)
  turn.reply, turn.length = "", 0
  append(turn, "text", reply)
end

---Asks how a turn stands, and takes over what we do not have.
---@param turn kkcode.KnownTurn
---@param done? fun()
function M.refresh(turn, done)
  client.command(turn.server, protocol.commands.turn_show, { turnId = turn.turnId }, function(shown)
    put_into_session(turn, shown.sessionId)
    turn.status, turn.usage, turn.proposalIds = shown.status, shown.usage, shown.proposalIds
    turn.error, turn.reason = shown.error, shown.interruptionReason
    if shown.reply then
      take_reply(turn, shown.reply)
    end
    changed(turn)
    if done then
      done()
    end
  end, client.unheeded)
end

---Returns what we know of a turn, from now on if need be.
---@param server kkcode.Server
---@param id string
---@return kkcode.KnownTurn
local function turn_of(server, id)
  if not known[id] then
    known[id] =
      { server = server, turnId = id, status = "running", items = {}, reply = "", length = 0, proposalIds = {} }
  end
  return known[id]
end

---Takes over a turn of a session's history.
---@param server kkcode.Server
---@param session_id string
---@param shown table a turn of `kkcode.session.show`
function M.adopt(server, session_id, shown)
  local turn = turn_of(server, shown.turnId)
  put_into_session(turn, session_id)
  turn.prompt, turn.status, turn.usage = shown.prompt, shown.status, shown.usage
  turn.error, turn.reason, turn.proposalIds = shown.error, shown.interruptionReason, shown.proposalIds
  if shown.reply then
    take_reply(turn, shown.reply)
  end
end

---Brings a session's turns into the order of its history.
---@param session_id string
---@param ids string[]
function M.order(session_id, ids)
  local have = of_session[session_id] or {}
  local rest = vim.tbl_filter(function(id)
    return not vim.list_contains(ids, id)
  end, have)
  of_session[session_id] = vim.list_extend(vim.list_slice(ids), rest)
end

---Follows a turn that somebody started.
---@param server kkcode.Server
---@param turn_id string
---@param session_id string
---@param prompt string
---@return kkcode.KnownTurn
local function follow(server, turn_id, session_id, prompt)
  local turn = turn_of(server, turn_id)
  turn.prompt = prompt
  put_into_session(turn, session_id)
  last_session = session_id
  return turn
end

---Starts a turn.
---@param server kkcode.Server?
---@param params kkcode.TurnStartParams
---@param started? fun(turn: kkcode.KnownTurn)
function M.start(server, params, started)
  client.command(server, protocol.commands.turn_start, params, function(result)
    local turn = follow(server --[[@as kkcode.Server]], result.turnId, result.sessionId, params.prompt)
    events.emit("TurnStarted", { turnId = result.turnId, sessionId = result.sessionId, prompt = params.prompt })
    if started then
      started(turn)
    end
    changed(turn)
  end)
end

---Cancels the turns that are running; those of one session, if one is named.
---@param session_id? string
function M.cancel(session_id)
  local running = vim.tbl_filter(function(turn)
    return not session_id or turn.sessionId == session_id
  end, M.running())
  if #running == 0 then
    return ui.notify("no turn is running")
  end
  for _, turn in ipairs(running) do
    client.command(turn.server, protocol.commands.turn_cancel, { turnId = turn.turnId })
  end
end

---@type table<string, fun(turn: kkcode.KnownTurn, update: table)>
local updates = {
  thinking = function(turn, update)
    append(turn, "thinking", update.text)
  end,
  toolCall = function(turn, update)
    table.insert(turn.items, { kind = "tool", callId = update.callId, tool = update.tool, title = update.title })
  end,
  toolResult = function(turn, update)
    for _, item in ipairs(turn.items) do
      if item.kind == "tool" and item.callId == update.callId then
        item.status, item.summary = update.status, update.summary
      end
    end
  end,
  plan = function(turn, update)
    for _, item in ipairs(turn.items) do
      if item.kind == "plan" then
        item.entries = update.entries
        return
      end
    end
    table.insert(turn.items, { kind = "plan", entries = update.entries })
  end,
  usage = function(turn, update)
    turn.usage = update.usage
  end,
  status = function(turn, update)
    turn.status = update.status
  end,
}

---@param turn kkcode.KnownTurn
---@param offset integer
---@param text string
local function take_text(turn, offset, text)
  local missing = offset - turn.length
  if missing == 0 then
    append(turn, "text", text)
  elseif missing > 0 then
    M.refresh(turn)
  end
  -- Text that we have already, from an answer that was quicker, is passed over.
end

events.on(protocol.notifications.turn_did_update, function(heard)
  local params = heard.params
  local is_new = known[params.turnId] == nil
  local turn = turn_of(heard.server, params.turnId)
  if is_new and params.offset > 0 then
    return M.refresh(turn)
  end
  local update = params.update
  if update.kind == "text" then
    take_text(turn, params.offset, update.text)
  elseif updates[update.kind] then
    updates[update.kind](turn, update)
  end
  changed(turn)
  events.emit("TurnUpdated", { turnId = params.turnId, sessionId = turn.sessionId, kind = update.kind })
end)

---Says how a turn ended, in a few words.
---@param turn kkcode.KnownTurn
---@return string
function M.outcome(turn)
  if turn.status == "failed" and turn.error then
    return "failed: " .. turn.error.message
  elseif turn.status == "interrupted" and turn.reason then
    return "interrupted: " .. turn.reason:gsub("_", " ")
  end
  return (turn.status:gsub("_", " "))
end

---@param turn kkcode.KnownTurn
local function tell_end(turn)
  if not config.get().notify then
    return
  end
  local is_in_view = turn.sessionId and require("kkcode.turn_view").is_visible(turn.sessionId)
  if turn.status == "failed" or turn.status == "interrupted" then
    ui.notify("the turn " .. M.outcome(turn), vim.log.levels.WARN)
  elseif not is_in_view then
    ui.notify("the turn is " .. M.outcome(turn))
  end
end

events.on(protocol.notifications.turn_did_finish, function(heard)
  local params = heard.params
  local turn = turn_of(heard.server, params.turnId)
  local was_over = IS_OVER[turn.status]
  turn.status, turn.error, turn.reason = params.status, params.error, params.interruptionReason
  turn.proposalIds = params.proposalIds or {}
  if params.reply then
    take_reply(turn, params.reply)
  end
  client.works(heard.server)
  -- What it cost is in its record only.
  M.refresh(turn)
  changed(turn)
  if not was_over then
    tell_end(turn)
    events.emit("TurnFinished", params)
  end
end)

events.on("turn/text", function(told)
  local turn = turn_of(told.server, told.turnId)
  take_reply(turn, told.text)
  if not turn.sessionId then
    M.refresh(turn)
  end
  changed(turn)
end)

events.on("turn/started", function(told)
  changed(follow(told.server, told.turnId, told.sessionId, told.prompt))
end)

-- After a restart the turns that we believe to be running may have ended while nobody could tell us.
events.on("server", function(started)
  for _, turn in pairs(known) do
    if turn.server == started.server and not IS_OVER[turn.status] then
      M.refresh(turn)
    end
  end
end)

return M
