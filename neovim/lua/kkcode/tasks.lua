--- Tasks in the background: a list that follows them, their logs, and what can be done with them.

local client = require("kkcode.client")
local config = require("kkcode.config")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

local namespace = vim.api.nvim_create_namespace("kkcode.tasks")

---@class kkcode.KnownTask
---@field server kkcode.Server
---@field task kkcode.TaskSummary

---@type table<string, kkcode.KnownTask>
local known = {}

---@type table<string, string>
local marks = {
  pending = "·",
  running = "▶",
  waiting = "?",
  completed = "✓",
  cancelled = "–",
  error = "✗",
  interrupted = "!",
}

---@type table<string, string>
local groups = { running = "KkcodePrompt", waiting = "WarningMsg", error = "ErrorMsg", interrupted = "WarningMsg" }

---The task of each line of the list.
---@type string[]
local ids_of_lines = {}

---@type integer?
local list

---@param task kkcode.TaskSummary
---@return string
local function detail(task)
  if task.status == "waiting" and task.waitingFor then
    local waiting = task.waitingFor --[[@as table]]
    return waiting.kind == "key" and ("needs the key of %s: :Kkcode key %s"):format(waiting.provider, waiting.provider)
      or "waits for an answer: :Kkcode permissions"
  elseif task.error then
    return task.error.message
  elseif task.interruptionReason then
    return (task.interruptionReason:gsub("_", " "))
  elseif task.result then
    local count = #task.result.proposalIds
    return count == 0 and "nothing proposed" or ("%d proposal%s"):format(count, count == 1 and "" or "s")
  end
  return task.activity or ""
end

---@return kkcode.KnownTask[] newest first
local function sorted()
  local all = vim.tbl_values(known)
  table.sort(all, function(a, b)
    if a.task.createdAt ~= b.task.createdAt then
      return a.task.createdAt > b.task.createdAt
    end
    return a.task.taskId > b.task.taskId
  end)
  return all
end

local function draw()
  if not list or not vim.api.nvim_buf_is_valid(list) then
    return
  end
  local lines, rows = {}, sorted()
  ids_of_lines = {}
  for index, entry in ipairs(rows) do
    local task = entry.task
    local attempt = task.attempt > 1 and (" (attempt %d)"):format(task.attempt) or ""
    local group = task.groupLabel and "[" .. task.groupLabel .. "] " or ""
    local what = group .. ui.one_line(task.description, 60) .. attempt
    lines[index] = ("%s %-11s %s"):format(marks[task.status] or " ", task.status, what)
    local more = ui.one_line(detail(task), 80)
    if more ~= "" then
      lines[index] = lines[index] .. "  – " .. more
    end
    ids_of_lines[index] = task.taskId
  end
  if #lines == 0 then
    lines = { "no tasks; `:Kkcode task start` makes one" }
  end
  ui.set_lines(list, 0, -1, lines)
  vim.api.nvim_buf_clear_namespace(list, namespace, 0, -1)
  for index, entry in ipairs(rows) do
    local group = groups[entry.task.status]
    if group then
      vim.api.nvim_buf_set_extmark(list, namespace, index - 1, 0, { end_col = #lines[index], hl_group = group })
    end
  end
end

---Asks for the tasks of a workspace.
---@param server kkcode.Server?
---@param done? fun()
---@param failed? fun(failure: table)
function M.refresh(server, done, failed)
  client.command(server, protocol.commands.task_list, {}, function(result)
    for id, entry in pairs(known) do
      if entry.server == server then
        known[id] = nil
      end
    end
    for _, task in ipairs(result.tasks) do
      known[task.taskId] = {
        server = server --[[@as kkcode.Server]],
        task = task,
      }
    end
    draw()
    if done then
      done()
    end
  end, failed)
end

---@param event table of a task's log
---@return string? line
local function log_line(event)
  local time = event.at:match("T(%d+:%d+:%d+)") or ""
  local text = ({
    turnStarted = function()
      return "turn: " .. event.prompt
    end,
    message = function()
      return event.text
    end,
    toolCalled = function()
      return ("%s: %s"):format(event.tool, event.title)
    end,
    toolFinished = function()
      return ("  %s%s"):format(event.status, event.summary and " – " .. event.summary or "")
    end,
    note = function()
      return event.text
    end,
    turnFinished = function()
      return "turn " .. event.status
    end,
    proposalChanged = function()
      return "proposal " .. event.state
    end,
    taskChanged = function()
      return "task " .. event.task.status
    end,
    permissionAsked = function()
      return "asks: " .. event.title
    end,
    permissionResolved = function()
      return "answered: " .. event.answer
    end,
    questionAsked = function()
      return "asks: " .. event.title
    end,
    questionResolved = function()
      return "answered"
    end,
  })[event.kind]
  return text and time .. "  " .. text()
end

---@class kkcode.TaskLog
---@field buffer integer
---@field seq integer
---@field reading boolean
---@field lines integer

---@type table<string, kkcode.TaskLog>
local logs = {}

---@param server kkcode.Server
---@param id string
local function read_log(server, id)
  local log = logs[id]
  if not log or log.reading or not vim.api.nvim_buf_is_valid(log.buffer) then
    return
  end
  log.reading = true
  client.command(server, protocol.commands.task_logs, { taskId = id, sinceSeq = log.seq }, function(result)
    log.reading = false
    local lines = {}
    for _, event in ipairs(result.events) do
      vim.list_extend(lines, ui.lines(log_line(event) or ""))
    end
    local following = vim.tbl_filter(function(window)
      return vim.fn.line(".", window) >= log.lines
    end, ui.windows(log.buffer, "everywhere"))
    ui.set_lines(log.buffer, log.lines, -1, lines)
    log.lines, log.seq = log.lines + #lines, result.nextSeq
    for _, window in ipairs(following) do
      vim.api.nvim_win_set_cursor(window, { math.max(1, log.lines), 0 })
    end
    if #result.events > 0 then
      read_log(server, id)
    end
  end, function(failure)
    log.reading = false
    ui.failed(failure)
  end)
end

---Opens the log of a task, which grows while the task works.
---@param id string
function M.logs(id)
  local entry = known[id]
  if not entry then
    return ui.notify("there is no task " .. id, vim.log.levels.WARN)
  end
  local buffer = ui.buffer("kkcode://task/" .. id, "kkcode")
  logs[id] = logs[id] or { buffer = buffer, seq = 0, reading = false, lines = 0 }
  vim.b[buffer].kkcode_root = entry.server.root
  ui.maps(buffer, { { "q", "close this window", "<Cmd>close<CR>" } })
  ui.go(ui.split(buffer, "below", 0.5))
  read_log(entry.server, id)
end

---@param name string of the command
---@return fun(id: string)
local function command(name)
  return function(id)
    local entry = known[id]
    if not entry then
      return ui.notify("there is no task " .. id, vim.log.levels.WARN)
    end
    client.command(entry.server, name, { taskId = id }, function(task)
      known[id] = { server = entry.server, task = task }
      draw()
    end)
  end
end

M.cancel = command(protocol.commands.task_cancel)
M.retry = command(protocol.commands.task_retry)

---Goes to the hunks that a task proposed.
---@param id string
function M.review(id)
  local entry = known[id]
  local wanted = entry and entry.task.result and entry.task.result.proposalIds or {}
  for _, placed in ipairs(require("kkcode.proposals").hunks()) do
    if vim.list_contains(wanted, placed.proposalId) then
      vim.cmd.wincmd("p")
      return require("kkcode.review").go(placed)
    end
  end
  ui.notify("no hunk of this task waits for you")
end

---Starts a task.
---@param prompt? string asked for when left out
---@param options? { isolation?: kkcode.Isolation }
function M.start(prompt, options)
  local server = client.current()
  local go = function(text)
    if text and vim.trim(text) ~= "" then
      local argument = vim.tbl_extend("force", options or {}, { prompt = text })
      client.command(server, protocol.commands.task_start, argument, function()
        ui.notify("the task is started; `:Kkcode tasks` follows it")
        M.refresh(server)
      end)
    end
  end
  if prompt and prompt ~= "" then
    return go(prompt)
  end
  vim.ui.input({ prompt = "Task: " }, go)
end

---Removes the records of tasks that ended long ago.
---@param days? integer
function M.clean(days)
  local server = client.current()
  client.command(server, protocol.commands.task_clean, { olderThanDays = days }, function(result)
    ui.notify(("%d task%s removed"):format(result.removed, result.removed == 1 and "" or "s"))
    M.refresh(server)
  end)
end

---Lets the user choose a task for what needs one.
---@param prompt string
---@param act fun(id: string)
function M.choose(prompt, act)
  M.refresh(client.current(), function()
    vim.ui.select(sorted(), {
      prompt = prompt,
      format_item = function(entry)
        return ("%s: %s"):format(entry.task.status, entry.task.description)
      end,
    }, function(entry)
      if entry then
        act(entry.task.taskId)
      end
    end)
  end)
end

---@param act fun(id: string)
---@return fun()
local function on_line(act)
  return function()
    local id = ids_of_lines[vim.fn.line(".")]
    if id then
      act(id)
    end
  end
end

---Opens the list of tasks.
function M.open()
  local server = client.current()
  M.refresh(server, function()
    list = ui.buffer("kkcode://tasks", "kkcode")
    vim.b[list].kkcode_root = server and server.root
    ui.maps(list, {
      { { "<CR>", "l" }, "open the log", on_line(M.logs) },
      { "c", "cancel", on_line(M.cancel) },
      { "r", "start again", on_line(M.retry) },
      { "p", "go to what it proposed", on_line(M.review) },
      {
        "n",
        "start a new task",
        function()
          M.start()
        end,
      },
      {
        "R",
        "read the list again",
        function()
          M.refresh(server)
        end,
      },
      { "q", "close this window", "<Cmd>close<CR>" },
    })
    draw()
    ui.go(ui.split(list, "below", 0.3))
  end)
end

events.on(protocol.notifications.task_did_change, function(heard)
  local task = heard.params.task
  local before = known[task.taskId]
  known[task.taskId] = { server = heard.server, task = task }
  draw()
  read_log(heard.server, task.taskId)
  events.emit("TaskChanged", heard.params)
  local has_changed = not before or before.task.status ~= task.status
  if has_changed and config.get().notify and task.endedAt then
    ui.notify(("task %s: %s"):format(task.status, ui.one_line(task.description, 60)))
  end
end)

return M
