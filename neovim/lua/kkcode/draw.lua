--- How one hunk looks in a buffer: lines that would go, lines that would come, the words that differ, its sign.

local config = require("kkcode.config")
local ui = require("kkcode.ui")
local words = require("kkcode.words")

local M = {}

local namespace = vim.api.nvim_create_namespace("kkcode.hunks")

---@type table<string, string>
local sign_groups = {
  pending = "KkcodeSignPending",
  applying = "KkcodeSignPending",
  applied = "KkcodeSignApplied",
  stale = "KkcodeSignStale",
}

---Takes everything away that was drawn in a buffer.
---@param buffer integer
function M.clear(buffer)
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
end

---@param text string
---@param tabstop integer
---@param column integer
---@return string text without tabs
---@return integer column behind it
local function expand(text, tabstop, column)
  local parts = {}
  for part, tab in text:gmatch("([^\t]*)(\t?)") do
    column = column + vim.fn.strdisplaywidth(part)
    parts[#parts + 1] = part
    if tab ~= "" then
      local width = tabstop - column % tabstop
      parts[#parts + 1] = (" "):rep(width)
      column = column + width
    end
  end
  return table.concat(parts), column
end

---Returns a line as chunks of virtual text that fill the window.
---@param line string
---@param spans integer[][]? {from, to} in bytes: what differs
---@param group string
---@param group_of_spans string
---@param tabstop integer
---@return string[][]
local function chunks(line, spans, group, group_of_spans, tabstop)
  local out, column, at = {}, 0, 0
  local add = function(to, name)
    if to > at then
      local text
      text, column = expand(line:sub(at + 1, to), tabstop, column)
      out[#out + 1] = { text, name }
      at = to
    end
  end
  for _, span in ipairs(spans or {}) do
    add(span[1], group)
    add(span[2], group_of_spans)
  end
  add(#line, group)
  out[#out + 1] = { (" "):rep(math.max(vim.o.columns - column, 1)), group }
  return out
end

---What differs in the lines of a hunk: by old line and by new line.
---@param old string[]
---@param new string[]
---@return table<integer, integer[][]> old
---@return table<integer, integer[][]> new
local function changed_words(old, new)
  local in_old, in_new = {}, {}
  if config.get().review.words then
    for i, j in pairs(words.align(old, new)) do
      in_old[i], in_new[j] = words.spans(old[i], new[j])
    end
  end
  return in_old, in_new
end

---@param buffer integer
---@param row integer
---@param options vim.api.keyset.set_extmark
local function mark(buffer, row, options)
  options.strict = false
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, 0, options)
end

---Colours lines of the buffer, and in them the words that differ.
---@param buffer integer
---@param first integer
---@param last integer
---@param spans table<integer, integer[][]>
---@param group string
---@param group_of_spans string
local function colour(buffer, first, last, spans, group, group_of_spans)
  for row = first, last do
    -- No `line_hl_group`: it would lie over the words, whatever their priority.
    mark(buffer, row, { end_row = row + 1, hl_group = group, hl_eol = true, priority = 90 })
    for _, span in ipairs(spans[row - first + 1] or {}) do
      vim.api.nvim_buf_set_extmark(buffer, namespace, row, span[1], {
        end_row = row,
        end_col = span[2],
        hl_group = group_of_spans,
        priority = 250,
        strict = false,
      })
    end
  end
end

---Makes room above the first line of windows that show it: Neovim does not by itself show virtual lines there.
---@param buffer integer
---@param height integer
local function show_above_first_line(buffer, height)
  for _, window in ipairs(ui.windows(buffer, "everywhere")) do
    vim.api.nvim_win_call(window, function()
      local view = vim.fn.winsaveview()
      if view.topline == 1 then
        view.topfill = math.min(height, vim.api.nvim_win_get_height(0) - 1)
        vim.fn.winrestview(view)
      end
    end)
  end
end

---Shows lines that are not in the buffer, in front of a row.
---@param buffer integer
---@param row integer may be behind the last one
---@param lines string[][][]
local function virtual_lines(buffer, row, lines)
  if #lines == 0 then
    return
  end
  if row == 0 then
    mark(buffer, 0, { virt_lines = lines, virt_lines_above = true })
    show_above_first_line(buffer, #lines)
  else
    mark(buffer, row - 1, { virt_lines = lines })
  end
end

---@param lines string[]
---@param spans table<integer, integer[][]>
---@param group string
---@param group_of_spans string
---@param tabstop integer
---@return string[][][]
local function all_chunks(lines, spans, group, group_of_spans, tabstop)
  local out, most = {}, config.get().review.max_lines
  for index = 1, math.min(#lines, most) do
    out[index] = chunks(lines[index], spans[index], group, group_of_spans, tabstop)
  end
  if #lines > most then
    out[#out + 1] = { { ("… %d more lines: `:Kkcode diff`"):format(#lines - most), "KkcodeNote" } }
  end
  return out
end

---@param hunk kkcode.PlacedHunk
---@return string?
local function note_of(hunk)
  if hunk.hunk.state == "stale" then
    local how = hunk.hunk.conflict and hunk.hunk.conflict.mergedText and "accept merge" or "accept theirs"
    return ("  %s: `:Kkcode %s` or `:Kkcode reject`"):format(hunk.hunk.reason or "stale", how)
  elseif hunk.file.kind == "delete" then
    return "  the file would be deleted"
  elseif hunk.file.kind == "rename" and hunk.file.newUri then
    return "  the file would be renamed to " .. require("kkcode.documents").short(hunk.file.newUri)
  elseif hunk.hunk.rejectedBefore then
    return "  rejected before"
  end
end

---Draws a hunk.
---@param buffer integer
---@param placed kkcode.PlacedHunk
---@param first integer its first line in the buffer, from 0; for a hunk between lines the one behind it
---@param last integer included; before `first` for a hunk between lines
function M.hunk(buffer, placed, first, last)
  local hunk, tabstop = placed.hunk, vim.bo[buffer].tabstop
  local old, new = ui.lines(hunk.oldText), ui.lines(hunk.newText)
  if hunk.state == "applied" then
    local in_old, in_new = changed_words(old, new)
    virtual_lines(buffer, first, all_chunks(old, in_old, "KkcodeDelete", "KkcodeDeleteText", tabstop))
    colour(buffer, first, last, in_new, "KkcodeAdd", "KkcodeAddText")
  elseif hunk.state == "stale" then
    local merged = hunk.conflict and hunk.conflict.mergedText
    local lines = merged and ui.lines(merged) or new
    virtual_lines(buffer, last + 1, all_chunks(lines, {}, "KkcodeStale", "KkcodeStale", tabstop))
  else
    local in_old, in_new = changed_words(old, new)
    colour(buffer, first, last, in_old, "KkcodeDelete", "KkcodeDeleteText")
    virtual_lines(buffer, last + 1, all_chunks(new, in_new, "KkcodeAdd", "KkcodeAddText", tabstop))
  end

  local row = math.max(0, last < first and first - 1 or first)
  local note = note_of(placed)
  if note then
    mark(buffer, row, { virt_text = { { note, "KkcodeNote" } }, virt_text_pos = "eol" })
  end
  local signs = config.get().review.signs
  local sign = signs and (signs[hunk.state] or signs.pending)
  if sign then
    for line = row, math.max(row, last) do
      mark(buffer, line, { sign_text = sign, sign_hl_group = sign_groups[hunk.state], priority = 15 })
    end
  end
end

return M
