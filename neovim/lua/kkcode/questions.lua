--- Questions of the agent's: shown as cards, one question after the other, answered by digits or by a text.

local cards = require("kkcode.cards")
local client = require("kkcode.client")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---Questions that were asked together, and what is answered so far.
---@class kkcode.OpenQuestions
---@field server kkcode.Server
---@field asked kkcode.QuestionDidAskParams
---@field at integer the question that is shown
---@field chosen table<string, boolean> of a question with several answers
---@field answers table<string, string|string[]>

---@type table<string, kkcode.OpenQuestions>
local open = {}

---@param form kkcode.OpenQuestions
local function send(form)
  local argument =
    { questionId = form.asked.questionId, answers = next(form.answers) and form.answers or vim.empty_dict() }
  client.command(form.server, protocol.commands.question_answer, argument, function(result)
    open[form.asked.questionId] = nil
    cards.remove(form.asked.questionId)
    if not result.accepted then
      ui.notify("other answers came first")
    end
  end)
end

---@param form kkcode.OpenQuestions
---@param answer string|string[]|nil nothing when the user passes over it
local function answered(form, answer)
  form.answers[form.asked.questions[form.at].id] = answer
  form.chosen = {}
  if form.at == #form.asked.questions then
    return send(form)
  end
  form.at = form.at + 1
  cards.draw()
end

---@param form kkcode.OpenQuestions
---@return { [1]: string, [2]: string? }[]
local function card_lines(form)
  local question = form.asked.questions[form.at]
  local rows = {}
  local add = function(text, group)
    for _, line in ipairs(ui.lines(text)) do
      rows[#rows + 1] = { line, group }
    end
  end
  if form.at == 1 and form.asked.detail then
    add(form.asked.detail, "KkcodeNote")
  end
  add(question.text, "KkcodePrompt")
  if question.description then
    add(question.description, "KkcodeNote")
  end
  for index, option in ipairs(question.options or {}) do
    local mark = question.multiple and (form.chosen[option.value] and "[x] " or "[ ] ") or ""
    local description = option.description and " – " .. option.description or ""
    add(("%d  %s%s%s"):format(index, mark, option.label, description))
  end
  return rows
end

---@param form kkcode.OpenQuestions
---@return kkcode.CardKey[]
local function card_keys(form)
  local question = form.asked.questions[form.at]
  local rows = {}
  for index, option in ipairs(question.options or {}) do
    if index <= 9 then
      rows[#rows + 1] = {
        key = tostring(index),
        title = ui.one_line(option.label, 14),
        press = function()
          if not question.multiple then
            return answered(form, option.value)
          end
          form.chosen[option.value] = not form.chosen[option.value] or nil
          cards.draw()
        end,
      }
    end
  end
  if question.multiple then
    rows[#rows + 1] = {
      key = "<CR>",
      title = "done",
      press = function()
        local values = {}
        for _, option in ipairs(question.options or {}) do
          if form.chosen[option.value] then
            values[#values + 1] = option.value
          end
        end
        answered(form, values)
      end,
    }
  end
  if question.allowText or not question.options or #question.options == 0 then
    rows[#rows + 1] = {
      key = "i",
      title = "a text",
      press = function()
        vim.ui.input({ prompt = ui.one_line(question.text, 60) .. " " }, function(text)
          if text and open[form.asked.questionId] then
            answered(form, text)
          end
        end)
      end,
    }
  end
  rows[#rows + 1] = {
    key = "x",
    title = "no answer",
    press = function()
      answered(form, nil)
    end,
  }
  return rows
end

events.on(protocol.notifications.question_did_ask, function(heard)
  local asked = heard.params
  if open[asked.questionId] then
    return
  end
  local form = { server = heard.server, asked = asked, at = 1, chosen = {}, answers = {} }
  open[asked.questionId] = form
  cards.add({
    id = asked.questionId,
    title = asked.title,
    lines = function()
      return card_lines(form)
    end,
    keys = function()
      return card_keys(form)
    end,
  })
  events.emit("QuestionAsked", asked)
end)

events.on(protocol.notifications.question_did_resolve, function(heard)
  open[heard.params.questionId] = nil
  cards.remove(heard.params.questionId)
  events.emit("QuestionResolved", heard.params)
end)

return M
