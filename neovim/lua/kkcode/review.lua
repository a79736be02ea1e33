--- Hunks in the user's buffers: where they are, how they look, and how to go from one to the next.

local config = require("kkcode.config")
local documents = require("kkcode.documents")
local draw = require("kkcode.draw")
local events = require("kkcode.events")
local proposals = require("kkcode.proposals")
local ui = require("kkcode.ui")

local M = {}

---Marks that only say where a hunk is; they follow the text between two answers of the server's.
local anchors = vim.api.nvim_create_namespace("kkcode.anchors")

---How many lines beyond the window are drawn, so that a small step shows nothing late.
local MARGIN = 30

---A hunk in a buffer.
---@class kkcode.BufferHunk: kkcode.PlacedHunk
---@field anchor integer mark of the first line, or of the place of an insertion
---@field height integer how many lines of the buffer it has; 0 for an insertion
---@field drawn boolean

---@type table<integer, kkcode.BufferHunk[]>
local shown = {}

---@type table<integer, boolean>
local to_draw = {}

---Tells whether hunks are shown in buffers; the user can switch that.
local is_inline ---@type boolean?

---Tells whether the hunk takes no line of the buffer: what it puts in is not there, or what it takes out is gone.
---@param hunk kkcode.Hunk
---@return boolean
local function is_between_lines(hunk)
  return (hunk.state == "applied" and hunk.newText or hunk.oldText) == ""
end

---Returns the lines that a hunk has by what the server said.
---@param hunk kkcode.Hunk
---@return integer first from 0; for a hunk between lines that of the line behind it
---@return integer height
local function lines_of(hunk)
  local first, last = documents.rows(hunk.range)
  if not is_between_lines(hunk) then
    return first, last - first + 1
  end
  local range = hunk.range
  local is_at_start = range["end"].line == 0 and range["end"].character == 0
  return is_at_start and 0 or last + 1, 0
end

---Returns the lines that a hunk has now.
---@param buffer integer
---@param hunk kkcode.BufferHunk
---@return integer first from 0; for a hunk between lines that of the line behind it, which may be behind the last
---@return integer last included; before `first` for a hunk between lines
local function rows_now(buffer, hunk)
  local mark = vim.api.nvim_buf_get_extmark_by_id(buffer, anchors, hunk.anchor, { details = true })
  local first = mark[1] or 0
  if hunk.height == 0 then
    return first, first - 1
  end
  local end_row = mark[3] and mark[3].end_row or first
  return first, math.max(first, end_row)
end

---Returns the lines of a hunk where the cursor can be, from 0: one between lines belongs to the line before it.
---@param buffer integer
---@param hunk kkcode.BufferHunk
---@return integer first
---@return integer last
local function cursor_rows(buffer, hunk)
  local first, last = rows_now(buffer, hunk)
  if last < first then
    local row = math.max(first - 1, 0)
    return row, row
  end
  return first, last
end

---@param buffer integer
local function draw_visible(buffer)
  local hunks = shown[buffer]
  if not hunks or not vim.api.nvim_buf_is_loaded(buffer) or is_inline == false or not config.get().review.inline then
    return
  end
  local parts = {}
  for _, window in ipairs(ui.windows(buffer, "everywhere")) do
    parts[#parts + 1] = { vim.fn.line("w0", window) - 1 - MARGIN, vim.fn.line("w$", window) - 1 + MARGIN }
  end
  for _, hunk in ipairs(hunks) do
    if not hunk.drawn then
      local first, last = rows_now(buffer, hunk)
      for _, part in ipairs(parts) do
        if first <= part[2] and math.max(first, last) >= part[1] then
          hunk.drawn = true
          draw.hunk(buffer, hunk, first, last)
          break
        end
      end
    end
  end
end

---Draws what is visible, once for all that happens in one go.
---@param buffer integer
local function draw_soon(buffer)
  if to_draw[buffer] or not shown[buffer] then
    return
  end
  to_draw[buffer] = true
  vim.schedule(function()
    to_draw[buffer] = nil
    draw_visible(buffer)
  end)
end

---Places the hunks of a buffer anew.
---@param buffer integer
function M.place(buffer)
  if not vim.api.nvim_buf_is_loaded(buffer) then
    shown[buffer] = nil
    return
  end
  vim.api.nvim_buf_clear_namespace(buffer, anchors, 0, -1)
  draw.clear(buffer)
  local hunks, count = {}, vim.api.nvim_buf_line_count(buffer)
  for _, placed in ipairs(proposals.hunks_of(buffer)) do
    local first, height = lines_of(placed.hunk)
    first = math.min(first, height == 0 and count or count - 1)
    local hunk = placed --[[@as kkcode.BufferHunk]]
    hunk.height, hunk.drawn = height, false
    hunk.anchor = vim.api.nvim_buf_set_extmark(buffer, anchors, first, 0, {
      end_row = height > 0 and math.min(first + height - 1, count - 1) or nil,
      end_col = height > 0 and 0 or nil,
      strict = false,
    })
    hunks[#hunks + 1] = hunk
  end
  shown[buffer] = #hunks > 0 and hunks or nil
  if vim.b[buffer].kkcode_hunks ~= #hunks then
    vim.b[buffer].kkcode_hunks = #hunks
  end
  draw_soon(buffer)
end

---Shows or hides hunks in all buffers; they stay where they are either way.
function M.toggle()
  is_inline = is_inline == false
  for buffer in pairs(shown) do
    M.place(buffer)
  end
end

---Returns the hunks of the buffer that have one of the lines, from 1.
---@param buffer integer
---@param first integer
---@param last integer included
---@return kkcode.BufferHunk[]
function M.at(buffer, first, last)
  return vim.tbl_filter(function(hunk)
    local from, to = cursor_rows(buffer, hunk)
    return from <= last - 1 and to >= first - 1
  end, shown[buffer] or {})
end

---Returns where a hunk of the buffer is now, as lines from 1 that the cursor can go to.
---@param buffer integer
---@param hunk kkcode.BufferHunk
---@return integer first
---@return integer last
function M.lines(buffer, hunk)
  local first, last = cursor_rows(buffer, hunk)
  return first + 1, last + 1
end

---Returns the hunks of a buffer.
---@param buffer integer
---@return kkcode.BufferHunk[]
function M.hunks(buffer)
  return shown[buffer] or {}
end

---Goes to a window of the tab page that has a file, when this one has something else: a list, a view, a help page.
local function leave_other_windows()
  if vim.bo.buftype == "" then
    return
  end
  local windows = { vim.fn.win_getid(vim.fn.winnr("#")) }
  vim.list_extend(windows, vim.api.nvim_tabpage_list_wins(0))
  for _, window in ipairs(windows) do
    if window ~= 0 and vim.bo[vim.api.nvim_win_get_buf(window)].buftype == "" then
      return ui.go(window)
    end
  end
  vim.cmd("aboveleft split")
end

---Opens the file of a hunk and goes to it; a file that does not exist yet is shown as the proposal has it.
---@param placed kkcode.PlacedHunk
function M.go(placed)
  leave_other_windows()
  vim.cmd("normal! m'")
  local buffer = documents.buffer(placed.file.uri)
  local path = documents.path(placed.file.uri)
  if not buffer and placed.file.kind == "create" and not vim.uv.fs_stat(path) then
    return require("kkcode.diff").open(placed.proposalId, path)
  end
  if not buffer then
    vim.cmd.edit(vim.fn.fnameescape(vim.fn.fnamemodify(documents.path(placed.file.uri), ":.")))
    buffer = vim.api.nvim_get_current_buf()
    M.place(buffer)
  elseif buffer ~= vim.api.nvim_get_current_buf() then
    vim.cmd.buffer(buffer)
  end
  for _, hunk in ipairs(M.hunks(buffer)) do
    if hunk.hunk.hunkId == placed.hunk.hunkId then
      local row = cursor_rows(buffer, hunk)
      vim.api.nvim_win_set_cursor(0, { math.min(row + 1, vim.api.nvim_buf_line_count(buffer)), 0 })
      vim.cmd("normal! zv")
    end
  end
end

---@param step 1|-1
---@return kkcode.BufferHunk?
local function neighbour_in_buffer(step)
  local buffer, line = vim.api.nvim_get_current_buf(), vim.fn.line(".") - 1
  local hunks = M.hunks(buffer)
  local first, last, by = 1, #hunks, 1
  if step < 0 then
    first, last, by = #hunks, 1, -1
  end
  for index = first, last, by do
    local row = cursor_rows(buffer, hunks[index])
    if (step > 0 and row > line) or (step < 0 and row < line) then
      return hunks[index]
    end
  end
end

---Goes to the next hunk, or to the one before: in this file, then in the next one; behind the last comes the first.
---@param step 1|-1
---@param count? integer
function M.jump(step, count)
  for _ = 1, count or 1 do
    local target = neighbour_in_buffer(step)
    if not target then
      local buffer = vim.api.nvim_get_current_buf()
      local all = proposals.hunks()
      local from = step > 0 and 0 or #all + 1
      for index, placed in ipairs(all) do
        if documents.buffer(placed.file.uri) == buffer then
          from = step < 0 and math.min(from, index) or index
        end
      end
      target = all[from + step] or all[step > 0 and 1 or #all]
    end
    if not target then
      return ui.notify("no hunk waits for you")
    end
    M.go(target)
  end
end

events.on("proposal", function(told)
  local entry = proposals.get(told.id)
  local buffers = {}
  for buffer, hunks in pairs(shown) do
    for _, hunk in ipairs(hunks) do
      buffers[buffer] = buffers[buffer] or hunk.proposalId == told.id
    end
  end
  for _, file in ipairs(entry and entry.proposal.files or {}) do
    local buffer = documents.buffer(file.uri)
    if buffer then
      buffers[buffer] = true
    end
  end
  for buffer, is_concerned in pairs(buffers) do
    if is_concerned then
      M.place(buffer)
    end
  end
end)

---Begins to look after buffers; called once.
function M.watch()
  local group = vim.api.nvim_create_augroup("kkcode.review", {})
  vim.api.nvim_create_autocmd("WinScrolled", {
    group = group,
    callback = function()
      for window in pairs(vim.v.event) do
        local id = tonumber(window)
        if id and vim.api.nvim_win_is_valid(id) then
          draw_soon(vim.api.nvim_win_get_buf(id))
        end
      end
    end,
  })
  vim.api.nvim_create_autocmd({ "BufWinEnter", "WinEnter", "TextChanged", "TextChangedI" }, {
    group = group,
    callback = function(event)
      draw_soon(event.buf)
    end,
  })
  -- A buffer that is loaded, or loaded again, has lost its marks; those of now come with the server's answer.
  vim.api.nvim_create_autocmd("LspAttach", {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if not client or client.name ~= "kkcode" then
        return
      end
      local uri = vim.uri_from_bufnr(event.buf)
      for _, entry in ipairs(proposals.open()) do
        for _, file in ipairs(entry.proposal.files) do
          if documents.path(file.uri) == documents.path(uri) then
            proposals.refresh(entry.server, entry.proposal.proposalId)
          end
        end
      end
    end,
  })
  vim.api.nvim_create_autocmd({ "BufUnload", "BufDelete" }, {
    group = group,
    callback = function(event)
      shown[event.buf] = nil
    end,
  })
end

M.watch()

return M
