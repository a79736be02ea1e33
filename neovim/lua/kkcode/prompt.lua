--- Asking the agent: what each verb means, with lines, a motion or the whole file, and again with a dot.

local client = require("kkcode.client")
local config = require("kkcode.config")
local documents = require("kkcode.documents")
local turns = require("kkcode.turns")
local ui = require("kkcode.ui")

local M = {}

---@class kkcode.Verb
---@field mode kkcode.Mode
---@field title string what the question for the prompt says
---@field prompt? string when the user gives none
---@field diagnostics? boolean whether the agent gets to see those of the lines

---@type table<string, kkcode.Verb>
M.verbs = {
  ask = { mode = "ask", title = "Ask" },
  plan = { mode = "plan", title = "Plan" },
  agent = { mode = "agent", title = "Do" },
  edit = { mode = "agent", title = "Edit" },
  fix = { mode = "agent", title = "Fix", prompt = "Fix the problems that the diagnostics name.", diagnostics = true },
  explain = { mode = "ask", title = "Explain", prompt = "Explain this." },
}

---@class kkcode.PromptOptions
---@field prompt? string asked for when left out
---@field first? integer first line that it is about, from 1
---@field last? integer included
---@field session? string the session to go on with
---@field model? string
---@field level? kkcode.Level

---@param verb string
---@param buffer integer
---@param options kkcode.PromptOptions
---@param prompt string
---@return kkcode.TurnStartParams
local function params_of(verb, buffer, options, prompt)
  local params = {
    prompt = prompt,
    mode = M.verbs[verb].mode,
    sessionId = options.session,
    model = options.model,
    level = options.level,
  }
  if not client.is_file(buffer) then
    return params
  end
  params.textDocument = { uri = vim.uri_from_bufnr(buffer) }
  local first, last = options.first, options.last
  local server = client.current()
  local encoding = server and server.client and server.client.offset_encoding or "utf-16"
  if first and last then
    params.range = documents.range(buffer, first, last, encoding)
  end
  if M.verbs[verb].diagnostics then
    local all = vim.api.nvim_buf_line_count(buffer)
    params.diagnostics = documents.diagnostics(buffer, first or 1, last or all, encoding)
    if #params.diagnostics == 0 then
      params.diagnostics = nil
    end
  end
  return params
end

---Starts a turn; asks for the prompt when there is none.
---@param verb string
---@param options? kkcode.PromptOptions
---@param asked? fun(prompt: string) told what the user wants
function M.start(verb, options, asked)
  options = options or {}
  local buffer = vim.api.nvim_get_current_buf()
  local go = function(prompt)
    if not prompt or vim.trim(prompt) == "" then
      return
    end
    if asked then
      asked(prompt)
    end
    turns.start(client.current(), params_of(verb, buffer, options, prompt), function(turn)
      if config.get().turns.open[verb] and turn.sessionId then
        require("kkcode.turn_view").show(turn.sessionId)
      end
    end)
  end
  local prompt = options.prompt ~= "" and options.prompt or M.verbs[verb].prompt
  if prompt then
    return go(prompt)
  end
  local lines = options.first and (" (lines %d to %d)"):format(options.first, options.last) or ""
  vim.ui.input({ prompt = ("%s%s: "):format(M.verbs[verb].title, lines) }, go)
end

---What the last operator does; its prompt is kept, so that a dot asks for the same.
---@type { verb: string, prompt?: string }?
local repeated

---Does the verb over a motion, for `operatorfunc`.
function M.operate()
  local again = repeated
  if not again then
    return
  end
  local first, last = vim.fn.line("'["), vim.fn.line("']")
  M.start(again.verb, { prompt = again.prompt, first = first, last = last }, function(prompt)
    again.prompt = prompt
  end)
end

---Makes a verb an operator, for a map with `expr`.
---@param verb string
---@param motion? string
---@return string keys
function M.operator(verb, motion)
  if not M.verbs[verb] then
    ui.notify("there is no verb " .. verb, vim.log.levels.ERROR)
    return ""
  end
  repeated = { verb = verb }
  vim.go.operatorfunc = "v:lua.require'kkcode.prompt'.operate"
  return "g@" .. (motion or "")
end

return M
