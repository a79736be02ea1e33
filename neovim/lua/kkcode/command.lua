--- `:Kkcode`: its sub-commands and their completion.

local ui = require("kkcode.ui")

local M = {}

---How the command was called.
---@class kkcode.Call
---@field text string what stands behind the sub-command
---@field words string[] the same, word by word
---@field first integer first line, from 1
---@field last integer included
---@field has_range boolean
---@field bang boolean

---@class kkcode.SubCommand
---@field about string
---@field run fun(call: kkcode.Call)
---@field complete? string[]|fun(): string[]

---@param call kkcode.Call
---@param count integer how many words to leave out
---@return string? text nothing when none is left
local function rest(call, count)
  local text = call.text
  for _ = 1, count do
    text = text:gsub("^%s*%S+%s*", "", 1)
  end
  return text ~= "" and text or nil
end

---@param name string
---@param about string
---@return kkcode.SubCommand
local function verb(name, about)
  return {
    about = about,
    run = function(call)
      local session = vim.b.kkcode_session or (call.bang and require("kkcode.turns").last_session()) or nil
      require("kkcode.prompt").start(name, {
        prompt = rest(call, 0),
        first = call.has_range and call.first or nil,
        last = call.has_range and call.last or nil,
        session = session,
      })
    end,
  }
end

---@param verdict kkcode.Verdict
---@return fun(call: kkcode.Call)
local function decide(verdict)
  return function(call)
    local how = call.words[1]
    local module = require("kkcode.decide")
    if how == "file" or how == "all" then
      return module[how](verdict, { reason = rest(call, 1) })
    end
    local options = {}
    if verdict == "reject" then
      options.reason = rest(call, 0)
    elseif how == "merge" or how == "theirs" then
      options.resolution = how
    elseif how then
      return ui.notify(
        ("`accept %s` is not known; it takes file, all, merge or theirs"):format(how),
        vim.log.levels.ERROR
      )
    end
    if call.has_range then
      module.lines(verdict, call.first, call.last, options)
    else
      module.here(verdict, options)
    end
  end
end

---@param text? string
---@return integer?
local function whole(text)
  local number = tonumber(text)
  return number and math.floor(number)
end

---@param step 1|-1
---@return fun(call: kkcode.Call)
local function jump(step)
  return function(call)
    require("kkcode.review").jump(step, whole(call.words[1]))
  end
end

---@param actions table<string, fun(text?: string)>
---@param default string
---@param what string
---@return fun(call: kkcode.Call)
local function with_actions(actions, default, what)
  return function(call)
    local name = call.words[1] or default
    local action = actions[name]
    if not action then
      local names = vim.tbl_keys(actions)
      table.sort(names)
      local known = table.concat(names, ", ")
      return ui.notify(("`%s %s` is not known; there are %s"):format(what, name, known), vim.log.levels.ERROR)
    end
    action(rest(call, 1))
  end
end

---@type table<string, fun(text?: string)>
local task_actions = {
  start = function(text)
    require("kkcode.tasks").start(text)
  end,
  worktree = function(text)
    require("kkcode.tasks").start(text, { isolation = "worktree" })
  end,
  logs = function()
    local tasks = require("kkcode.tasks")
    tasks.choose("Log of a task", tasks.logs)
  end,
  cancel = function()
    local tasks = require("kkcode.tasks")
    tasks.choose("Cancel a task", tasks.cancel)
  end,
  retry = function()
    local tasks = require("kkcode.tasks")
    tasks.choose("Start a task again", tasks.retry)
  end,
  clean = function(text)
    require("kkcode.tasks").clean(whole(text))
  end,
}

---@type table<string, fun(text?: string)>
local permission_actions = {
  focus = function()
    require("kkcode.cards").focus()
  end,
  rules = function()
    require("kkcode.permissions").rules()
  end,
}

---@type table<string, kkcode.PermissionAnswer>
local answers = { once = "allow_once", first = "apply_first", session = "allow_session", always = "allow_always" }

---@return kkcode.Server?
local function server()
  local current = require("kkcode.client").current()
  if not current then
    ui.notify("no server is running here; open a file first", vim.log.levels.WARN)
  end
  return current
end

---@type table<string, kkcode.SubCommand>
M.commands = {
  ask = verb("ask", "ask about the lines or the file; nothing is changed"),
  plan = verb("plan", "have a plan worked out; nothing is changed"),
  agent = verb("agent", "have something done"),
  edit = verb("edit", "have the lines or the file changed"),
  fix = verb("fix", "have the diagnostics of the lines or the file fixed"),
  explain = verb("explain", "have the lines or the file explained"),
  turn = {
    about = "go to the view of the last turn",
    run = function()
      require("kkcode.turn_view").open()
    end,
  },
  cancel = {
    about = "cancel the turns that are running",
    run = function()
      require("kkcode.turns").cancel(vim.b.kkcode_session)
    end,
  },
  accept = {
    about = "accept the hunk under the cursor, the lines, the file or all",
    complete = { "file", "all", "merge", "theirs" },
    run = decide("accept"),
  },
  reject = {
    about = "reject the hunk under the cursor, the lines, the file or all; what follows is the reason",
    complete = { "file", "all" },
    run = decide("reject"),
  },
  comment = {
    about = "keep a comment on the hunk or the lines for the next turn",
    run = function(call)
      require("kkcode.decide").comment(call.first, call.last, call.has_range, rest(call, 0))
    end,
  },
  send = {
    about = "start the next turn with all comments and decisions",
    run = function()
      require("kkcode.comments").send()
    end,
  },
  diff = {
    about = "open both sides of a file in a tab page",
    complete = function()
      local paths = {}
      for _, placed in ipairs(require("kkcode.proposals").hunks()) do
        paths[require("kkcode.documents").short(placed.file.uri)] = true
      end
      return vim.tbl_keys(paths)
    end,
    run = function(call)
      require("kkcode.diff").here(rest(call, 0))
    end,
  },
  next = { about = "go to the next hunk", run = jump(1) },
  prev = { about = "go to the hunk before", run = jump(-1) },
  quickfix = {
    about = "list the hunks in the quickfix window",
    run = function()
      require("kkcode.quickfix").open()
    end,
  },
  toggle = {
    about = "show hunks in the buffers, or hide them",
    run = function()
      require("kkcode.review").toggle()
    end,
  },
  undo = {
    about = "undo the last decision",
    run = function()
      require("kkcode.proposals").undo("undo")
    end,
  },
  redo = {
    about = "make the decision again that was undone last",
    run = function()
      require("kkcode.proposals").undo("redo")
    end,
  },
  tasks = {
    about = "list the tasks in the background",
    run = function()
      require("kkcode.tasks").open()
    end,
  },
  task = {
    about = "start a task, also in a git worktree, or choose one for its log, to cancel it, to start it again; remove old ones",
    complete = { "start", "worktree", "logs", "cancel", "retry", "clean" },
    run = with_actions(task_actions, "start", "task"),
  },
  sessions = {
    about = "open a session of this workspace",
    run = function()
      require("kkcode.sessions").actions.open()
    end,
  },
  session = {
    about = "open, copy, name or delete a session",
    complete = { "open", "fork", "rename", "delete" },
    run = function(call)
      with_actions(require("kkcode.sessions").actions, "open", "session")(call)
    end,
  },
  permissions = {
    about = "go to what is asked, and back; or list the learned rules",
    complete = { "focus", "rules" },
    run = with_actions(permission_actions, "focus", "permissions"),
  },
  allow = {
    about = "allow what is asked",
    complete = { "once", "first", "session", "always" },
    run = function(call)
      local answer = answers[call.words[1] or "once"]
      if not answer then
        return ui.notify("`allow` takes once, first, session or always", vim.log.levels.ERROR)
      end
      require("kkcode.permissions").answer_first(answer)
    end,
  },
  deny = {
    about = "deny what is asked; what follows is told to the agent",
    run = function(call)
      require("kkcode.permissions").answer_first("deny", rest(call, 0))
    end,
  },
  level = {
    about = "set the permission level",
    complete = function()
      return require("kkcode.status").levels
    end,
    run = function(call)
      require("kkcode.status").level(call.words[1])
    end,
  },
  model = {
    about = "select the model of the turns to come",
    run = function(call)
      require("kkcode.status").model(call.words[1])
    end,
  },
  trust = {
    about = "trust this workspace, or no longer",
    complete = { "yes", "no" },
    run = function(call)
      local word = call.words[1] or "yes"
      if word ~= "yes" and word ~= "no" then
        return ui.notify("`trust` takes yes or no", vim.log.levels.ERROR)
      end
      require("kkcode.status").trust(word == "yes")
    end,
  },
  key = {
    about = "hand over the key of a provider; it is kept in memory only",
    run = function(call)
      if not call.words[1] then
        return ui.notify("name the provider: `:Kkcode key anthropic`", vim.log.levels.ERROR)
      end
      require("kkcode.status").key(call.words[1])
    end,
  },
  status = {
    about = "show how things stand",
    run = function()
      require("kkcode.status").show()
    end,
  },
  log = {
    about = "open the log",
    run = function()
      require("kkcode.status").log()
    end,
  },
  restart = {
    about = "start the server again",
    run = function()
      local current = server()
      if current then
        require("kkcode.client").restart(current)
      end
    end,
  },
  stop = {
    about = "stop the server",
    run = function()
      local current = server()
      if current then
        require("kkcode.client").stop(current)
      end
    end,
  },
  build = {
    about = "build the server from the sources beside this plugin",
    run = function()
      require("kkcode.program").build(require("kkcode.client").attach_all)
    end,
  },
}

---Returns the names of the sub-commands.
---@return string[]
function M.names()
  local names = vim.tbl_keys(M.commands)
  table.sort(names)
  return names
end

---Runs `:Kkcode`.
---@param options vim.api.keyset.create_user_command.command_args
function M.run(options)
  local name = options.args:match("^%s*(%S*)") or ""
  local text = options.args:match("^%s*%S*%s*(.-)%s*$") or ""
  local command = M.commands[name]
  if not command then
    local what = name == "" and "what? there are " or ("there is no `:Kkcode %s`; there are "):format(name)
    return ui.notify(what .. table.concat(M.names(), ", "), vim.log.levels.ERROR)
  end
  command.run({
    text = text,
    words = vim.split(text, "%s+", { trimempty = true }),
    first = options.line1,
    last = options.line2,
    has_range = options.range > 0,
    bang = options.bang,
  })
end

---Completes `:Kkcode`.
---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.complete(lead, line, position)
  local words = vim.split(line:sub(1, position), "%s+")
  -- A range and a bang stand before the first word's end: `'<,'>Kkcode! ask`.
  local candidates = {} ---@type string[]
  if #words == 2 then
    candidates = M.names()
  elseif #words == 3 and M.commands[words[2]] then
    local complete = M.commands[words[2]].complete or {}
    candidates = type(complete) == "function" and complete() or complete --[[@as string[] ]]
  end
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
