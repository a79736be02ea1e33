--- The view of a session: its turns as a Markdown buffer that grows while they run.

local config = require("kkcode.config")
local events = require("kkcode.events")
local turns = require("kkcode.turns")
local ui = require("kkcode.ui")

local M = {}

local namespace = vim.api.nvim_create_namespace("kkcode.turn")

---@class kkcode.TurnView
---@field buffer integer
---@field session string
---@field lines string[] what is in the buffer
---@field folds string[] the fold of each line, as `foldexpr` has it
---@field due boolean whether a drawing is under way

---@type table<string, kkcode.TurnView>
local views = {}

---@type table<integer, kkcode.TurnView>
local by_buffer = {}

---@class kkcode.TurnLine
---@field text string
---@field group? string
---@field fold? string

---@type table<string, string>
local tool_marks = { ok = "✓", error = "✗", denied = "⊘", cancelled = "–" }

---@type table<string, string>
local plan_marks = { pending = "[ ]", in_progress = "[-]", completed = "[x]" }

---@param number integer
---@return string
local function grouped(number)
  local digits = tostring(number)
  local head = #digits % 3
  local parts = head > 0 and { digits:sub(1, head) } or {}
  for at = head + 1, #digits, 3 do
    parts[#parts + 1] = digits:sub(at, at + 2)
  end
  return table.concat(parts, ",")
end

---Says what a turn's model requests counted.
---@param usage kkcode.Usage
---@return string
function M.cost(usage)
  local read = usage.inputTokens + (usage.cacheReadTokens or 0) + (usage.cacheWriteTokens or 0)
  local text = ("%s%s in, %s out"):format(
    usage.estimated and "about " or "",
    grouped(read),
    grouped(usage.outputTokens)
  )
  return usage.costUsd and ("%s, $%.4f"):format(text, usage.costUsd) or text
end

---@param out kkcode.TurnLine[]
---@param item kkcode.TurnItem
---@param continues_fold boolean whether the line before is folded already
local function tool_lines(out, item, continues_fold)
  local mark = item.status and (tool_marks[item.status] or item.status) or "…"
  local fold = continues_fold and "1" or ">1"
  -- Most titles begin with the tool; the others need it to be understood.
  local tool, call = item.tool or "", item.title or ""
  local title = vim.startswith(call, tool) and call or tool .. ": " .. call
  out[#out + 1] = { text = ("▸ %s %s"):format(title, mark), group = "KkcodeTool", fold = fold }
  for _, line in ipairs(ui.lines(item.summary or "")) do
    out[#out + 1] = { text = "    " .. line, group = "KkcodeTool", fold = "1" }
  end
end

---@param turn kkcode.KnownTurn
---@param out kkcode.TurnLine[]
local function turn_lines(turn, out)
  if #out > 0 then
    out[#out + 1] = { text = "" }
  end
  for index, line in ipairs(ui.lines(turn.prompt or "…")) do
    out[#out + 1] = { text = (index == 1 and "❯ " or "  ") .. line, group = "KkcodePrompt" }
  end
  out[#out + 1] = { text = "" }
  local before ---@type string?
  for _, item in ipairs(turn.items) do
    local is_folded = item.kind == "tool" or item.kind == "thinking"
    local was_folded = before == "tool" or before == "thinking"
    if before and is_folded ~= was_folded and out[#out].text ~= "" then
      out[#out + 1] = { text = "" }
    end
    if item.kind == "tool" then
      tool_lines(out, item, was_folded)
    elseif item.kind == "thinking" then
      out[#out + 1] = { text = "▸ thinking", group = "KkcodeTool", fold = was_folded and "1" or ">1" }
      for _, line in ipairs(ui.lines(item.text or "")) do
        out[#out + 1] = { text = "    " .. line, group = "KkcodeTool", fold = "1" }
      end
    elseif item.kind == "plan" then
      for _, entry in ipairs(item.entries or {}) do
        out[#out + 1] = { text = ("- %s %s"):format(plan_marks[entry.status] or "[ ]", entry.text) }
      end
    else
      for _, line in ipairs(ui.lines(item.text or "")) do
        out[#out + 1] = { text = line }
      end
    end
    before = item.kind
  end
  if out[#out].text ~= "" then
    out[#out + 1] = { text = "" }
  end
  if turns.is_over(turn) then
    local cost = turn.usage and " · " .. M.cost(turn.usage) or ""
    out[#out + 1] = { text = ui.one_line(turns.outcome(turn) .. cost, 400), group = "KkcodeNote" }
  else
    out[#out + 1] = { text = "working …", group = "KkcodeNote" }
  end
end

---@param view kkcode.TurnView
local function draw(view)
  view.due = false
  if not vim.api.nvim_buf_is_valid(view.buffer) then
    views[view.session], by_buffer[view.buffer] = nil, nil
    return
  end
  local out = {} ---@type kkcode.TurnLine[]
  for _, turn in ipairs(turns.of_session(view.session)) do
    turn_lines(turn, out)
  end
  local texts, folds = {}, {}
  for index, line in ipairs(out) do
    texts[index], folds[index] = line.text, line.fold or "0"
  end

  -- Only what is new is written, so that a long reply costs no more than a short one.
  local same = 0
  while same < #texts and same < #view.lines and texts[same + 1] == view.lines[same + 1] do
    same = same + 1
  end
  local following = vim.tbl_filter(function(window)
    return vim.fn.line(".", window) >= math.max(1, #view.lines)
  end, ui.windows(view.buffer, "everywhere"))
  view.lines, view.folds = texts, folds
  ui.set_lines(view.buffer, same, -1, vim.list_slice(texts, same + 1))
  vim.api.nvim_buf_clear_namespace(view.buffer, namespace, same, -1)
  for index = same + 1, #out do
    if out[index].group then
      vim.api.nvim_buf_set_extmark(view.buffer, namespace, index - 1, 0, { line_hl_group = out[index].group })
    end
  end
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { math.max(1, #texts), 0 })
  end
end

---@param view kkcode.TurnView
local function draw_soon(view)
  if not view.due then
    view.due = true
    vim.defer_fn(function()
      draw(view)
    end, config.get().turns.throttle_ms)
  end
end

---The fold of the line that Neovim asks for, for `foldexpr`.
---@return string
function M.fold()
  local view = by_buffer[vim.api.nvim_get_current_buf()]
  return view and view.folds[vim.v.lnum] or "0"
end

---What a closed fold shows, for `foldtext`.
---@return string
function M.fold_text()
  local titles = {}
  for line = vim.v.foldstart, vim.v.foldend do
    local text = vim.fn.getline(line) --[[@as string]]
    local title = text:match("^▸ (.*)")
    titles[#titles + 1] = title
  end
  if #titles == 1 then
    return "▸ " .. titles[1]
  end
  return ("▸ %d steps, the last: %s"):format(#titles, titles[#titles] or "")
end

---@param view kkcode.TurnView
local function follow_up(view)
  vim.ui.input({ prompt = "Go on: " }, function(prompt)
    if prompt and vim.trim(prompt) ~= "" then
      local last = turns.of_session(view.session)
      local server = last[#last] and last[#last].server or require("kkcode.client").current()
      turns.start(server, { prompt = prompt, sessionId = view.session })
    end
  end)
end

---@param view kkcode.TurnView
local function maps(view)
  local heading = function(flags)
    return function()
      vim.fn.search("^❯ ", flags)
    end
  end
  ui.maps(view.buffer, {
    {
      { "<CR>", "i", "a", "o" },
      "go on in this session",
      function()
        follow_up(view)
      end,
    },
    {
      "<C-c>",
      "cancel the turn",
      function()
        turns.cancel(view.session)
      end,
    },
    { "]]", "next turn", heading("W") },
    { "[[", "previous turn", heading("bW") },
    {
      "]h",
      "go to the hunks",
      function()
        local window = vim.fn.win_getid(vim.fn.winnr("#"))
        if window ~= 0 then
          ui.go(window)
        end
        require("kkcode.review").jump(1)
      end,
    },
    { "q", "close this window", "<Cmd>close<CR>" },
  })
end

---Returns the view of a session, made if need be.
---@param session string
---@return kkcode.TurnView
local function view_of(session)
  local view = views[session]
  if view and vim.api.nvim_buf_is_valid(view.buffer) then
    return view
  end
  local buffer = ui.buffer("kkcode://session/" .. session, "kkcode")
  ui.markdown(buffer)
  view = { buffer = buffer, session = session, lines = {}, folds = {}, due = false }
  views[session], by_buffer[buffer] = view, view
  local last = turns.of_session(session)
  vim.b[buffer].kkcode_root = last[#last] and last[#last].server.root or nil
  vim.b[buffer].kkcode_session = session
  maps(view)
  vim.api.nvim_create_autocmd("BufWinEnter", {
    buffer = buffer,
    callback = function()
      for _, window in ipairs(ui.windows(buffer)) do
        M.prepare(window)
      end
    end,
  })
  return view
end

---Sets the folding of a window that shows a session.
---@param window integer
function M.prepare(window)
  local options = vim.wo[window][0]
  options.foldmethod = "expr"
  options.foldexpr = "v:lua.require'kkcode.turn_view'.fold()"
  options.foldtext = "v:lua.require'kkcode.turn_view'.fold_text()"
  options.foldlevel = 0
  options.foldenable = true
  options.fillchars = "fold: "
end

---Tells whether the user has a session before the eyes.
---@param session string
---@return boolean
function M.is_visible(session)
  local view = views[session]
  return view ~= nil and #ui.windows(view.buffer) > 0
end

---Shows a session beside what the user is at; the focus stays.
---@param session string
---@return integer window
function M.show(session)
  local options = config.get().turns
  local view = view_of(session)
  draw(view)
  -- One window is enough for all sessions: it shows the one that was wanted last.
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local other = by_buffer[vim.api.nvim_win_get_buf(window)]
    if other and #ui.windows(view.buffer) == 0 then
      vim.api.nvim_win_set_buf(window, view.buffer)
    end
  end
  local window = ui.split(view.buffer, options.split, options.size)
  M.prepare(window)
  vim.api.nvim_win_set_cursor(window, { math.max(1, #view.lines), 0 })
  return window
end

---Shows a session and goes there: the one named, that of this view, else the last one.
---@param session? string
function M.open(session)
  session = session or vim.b.kkcode_session or turns.last_session()
  if not session then
    return ui.notify("no turn was started here yet; `:Kkcode sessions` has the older ones")
  end
  ui.go(M.show(session))
end

events.on("turn", function(told)
  local view = views[told.session]
  if view then
    draw_soon(view)
  end
end)

return M
