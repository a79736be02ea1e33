--- Permission prompts: shown as cards, answered by one key or from anywhere, withdrawn when somebody else answered.

local cards = require("kkcode.cards")
local client = require("kkcode.client")
local documents = require("kkcode.documents")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---@class kkcode.OpenPrompt
---@field server kkcode.Server
---@field prompt kkcode.PermissionDidAskParams

---@type table<string, kkcode.OpenPrompt>
local open = {}

---The keys of the answers.
---@type table<string, string>
local keys = { allow_once = "y", apply_first = "p", allow_session = "s", allow_always = "a", deny = "n" }

---@type { [1]: string, [2]: string }[]
local diff_groups = {
  { "^@@", "KkcodeNote" },
  { "^%+%+%+", "KkcodeNote" },
  { "^%-%-%-", "KkcodeNote" },
  { "^%+", "KkcodeAdd" },
  { "^%-", "KkcodeDelete" },
}

---@param line string
---@return string?
local function diff_group(line)
  for _, row in ipairs(diff_groups) do
    if line:find(row[1]) then
      return row[2]
    end
  end
end

---Answers a prompt.
---@param id string
---@param answer kkcode.PermissionAnswer
---@param feedback? string what the agent is told with it
function M.answer(id, answer, feedback)
  local asked = open[id]
  if not asked then
    return ui.notify("this is answered already")
  end
  local argument = { promptId = id, answer = answer, feedback = feedback }
  client.command(asked.server, protocol.commands.permission_answer, argument, function(result)
    open[id] = nil
    cards.remove(id)
    if not result.accepted then
      ui.notify("another answer came first")
    end
  end)
end

---@param id string
local function deny_with_feedback(id)
  vim.ui.input({ prompt = "No, because: " }, function(feedback)
    if feedback then
      M.answer(id, "deny", feedback ~= "" and feedback or nil)
    end
  end)
end

---@param prompt kkcode.PermissionDidAskParams
---@return { [1]: string, [2]: string? }[]
local function card_lines(prompt)
  local rows = {}
  for _, line in ipairs(ui.lines(prompt.detail)) do
    rows[#rows + 1] = { line }
  end
  for _, line in ipairs(ui.lines(prompt.diff or "")) do
    rows[#rows + 1] = { line, diff_group(line) }
  end
  return rows
end

---@param prompt kkcode.PermissionDidAskParams
---@return kkcode.CardKey[]
local function card_keys(prompt)
  local rows = {}
  for _, option in ipairs(prompt.options) do
    local key = keys[option.answer]
    if key then
      rows[#rows + 1] = {
        key = key,
        title = option.title,
        press = function()
          M.answer(prompt.promptId, option.answer)
        end,
      }
    end
  end
  rows[#rows + 1] = {
    key = "f",
    title = "no, because …",
    press = function()
      deny_with_feedback(prompt.promptId)
    end,
  }
  return rows
end

---@param server kkcode.Server
---@param prompt kkcode.PermissionDidAskParams
local function ask(server, prompt)
  local is_new = open[prompt.promptId] == nil
  open[prompt.promptId] = { server = server, prompt = prompt }
  cards.add({
    id = prompt.promptId,
    title = prompt.title,
    lines = function()
      return card_lines(prompt)
    end,
    keys = function()
      return card_keys(prompt)
    end,
  })
  if is_new then
    events.emit("PermissionAsked", prompt)
  end
end

---Answers the prompt that is shown, from wherever the user is.
---@param answer kkcode.PermissionAnswer
---@param feedback? string
function M.answer_first(answer, feedback)
  local card = cards.first()
  if not card or not open[card.id] then
    return ui.notify("no permission is asked")
  end
  M.answer(card.id, answer, feedback)
end

---Asks for the prompts that wait.
---@param server kkcode.Server
function M.refresh(server)
  client.command(server, protocol.commands.permission_list, {}, function(result)
    local waiting = {}
    for _, prompt in ipairs(result.prompts) do
      waiting[prompt.promptId] = true
      ask(server, prompt)
    end
    for id, asked in pairs(open) do
      if asked.server == server and not waiting[id] then
        open[id] = nil
        cards.remove(id)
      end
    end
  end, client.unheeded)
end

---@param rule kkcode.PermissionRule
---@return string
local function describe(rule)
  local parts = { rule.action, rule.tool }
  if rule.commandPrefix then
    parts[#parts + 1] = "`" .. rule.commandPrefix .. "`"
  end
  if rule.filePatterns then
    parts[#parts + 1] = "in " .. table.concat(rule.filePatterns, ", ")
  end
  parts[#parts + 1] = rule.workspaceUri and "(" .. documents.short(rule.workspaceUri) .. ")" or "(everywhere)"
  return table.concat(parts, " ")
end

---Lists the learned rules; one that is chosen can be forgotten.
function M.rules()
  local server = client.current()
  client.command(server, protocol.commands.permission_list, {}, function(result)
    if #result.rules == 0 then
      return ui.notify(("level %s; no rules are learned"):format(result.level))
    end
    vim.ui.select(result.rules, { prompt = "Forget a learned rule", format_item = describe }, function(rule)
      if not rule then
        return
      end
      client.command(server, protocol.commands.permission_forget, { ruleId = rule.ruleId }, function(done)
        ui.notify((done.forgotten and "forgotten: " or "was gone before: ") .. describe(rule))
      end)
    end)
  end)
end

events.on(protocol.notifications.permission_did_ask, function(heard)
  ask(heard.server, heard.params)
end)

events.on(protocol.notifications.permission_did_resolve, function(heard)
  local id = heard.params.promptId
  open[id] = nil
  cards.remove(id)
  events.emit("PermissionResolved", heard.params)
end)

events.on("server", function(started)
  M.refresh(started.server)
end)

return M
