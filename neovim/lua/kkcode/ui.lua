--- Buffers, windows and messages of ours; nothing here takes the focus unless the user asked for it.

local M = {}

---Shows a message of ours.
---@param message string
---@param level? integer of `vim.log.levels`
function M.notify(message, level)
  vim.notify("kkcode: " .. message, level or vim.log.levels.INFO, { title = "kkcode" })
end

---Shows an error of the server's, which already says what to do.
---@param failure { code?: integer, message: string }
function M.failed(failure)
  M.notify(failure.message, vim.log.levels.WARN)
end

---Returns the lines of a text, without line endings; an empty text has none.
---@param text string
---@return string[]
function M.lines(text)
  if text == "" then
    return {}
  end
  local lines = vim.split(text:gsub("\r\n", "\n"), "\n", { plain = true })
  if lines[#lines] == "" then
    lines[#lines] = nil
  end
  return lines
end

---Returns a text in one line, cut to `width` cells.
---@param text string
---@param width integer
---@return string
function M.one_line(text, width)
  local line = vim.trim(text:gsub("%s+", " "))
  if vim.fn.strdisplaywidth(line) <= width then
    return line
  end
  return vim.fn.strcharpart(line, 0, width - 1) .. "…"
end

---Returns the buffer of that name, made if need be: not a file, not listed, hidden rather than lost.
---@param name string
---@param filetype string
---@return integer buffer
function M.buffer(name, filetype)
  local buffer = vim.fn.bufnr("^" .. vim.fn.escape(name, "*?[]{}\\,") .. "$")
  if buffer == -1 or not vim.api.nvim_buf_is_valid(buffer) then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, name)
  end
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].modifiable = false
  if vim.bo[buffer].filetype ~= filetype then
    vim.bo[buffer].filetype = filetype
  end
  return buffer
end

---Replaces lines of one of our buffers that the user cannot change.
---@param buffer integer
---@param first integer from 0
---@param last integer not included; -1 for the end
---@param lines string[]
function M.set_lines(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
end

---Colours a buffer of ours as Markdown, by tree-sitter where it is there.
---@param buffer integer
function M.markdown(buffer)
  if not pcall(vim.treesitter.start, buffer, "markdown") then
    vim.bo[buffer].syntax = "markdown"
  end
end

---Maps keys in a buffer of ours; `g?` lists them.
---@param buffer integer
---@param maps { [1]: string|string[], [2]: string, [3]: fun()|string, mode?: string|string[] }[] keys, what they do, how
function M.maps(buffer, maps)
  local help = {}
  for _, map in ipairs(maps) do
    local keys = type(map[1]) == "table" and map[1] or { map[1] }
    for _, key in ipairs(keys) do
      vim.keymap.set(map.mode or "n", key, map[3], { buffer = buffer, desc = map[2], nowait = true, silent = true })
    end
    help[#help + 1] = { table.concat(keys, " "), map[2] }
  end
  vim.keymap.set("n", "g?", function()
    local chunks = {}
    for _, row in ipairs(help) do
      chunks[#chunks + 1] = { ("%-16s"):format(row[1]), "Special" }
      chunks[#chunks + 1] = { row[2] .. "\n" }
    end
    vim.api.nvim_echo(chunks, false, {})
  end, { buffer = buffer, desc = "list these keys", nowait = true })
end

---Returns the windows of the current tab page, or of all, that show the buffer.
---@param buffer integer
---@param everywhere? "everywhere"
---@return integer[]
function M.windows(buffer, everywhere)
  local windows = everywhere and vim.fn.win_findbuf(buffer) or vim.api.nvim_tabpage_list_wins(0)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_is_valid(window) and vim.api.nvim_win_get_buf(window) == buffer
  end, windows)
end

---Shows a buffer of ours in a split, without going there; in the window that has it if there is one.
---@param buffer integer
---@param split string `right`, `left`, `above` or `below`
---@param size number part of the editor
---@return integer window
function M.split(buffer, split, size)
  local window = M.windows(buffer)[1]
  if window then
    return window
  end
  local is_column = split == "right" or split == "left"
  local whole = is_column and vim.o.columns or vim.o.lines
  local part = math.max(10, math.floor(whole * size))
  window = vim.api.nvim_open_win(buffer, false, {
    split = split --[[@as "right"|"left"|"above"|"below"]],
    win = -1,
    width = is_column and part or nil,
    height = not is_column and part or nil,
  })
  local options =
    { number = false, relativenumber = false, signcolumn = "no", wrap = true, linebreak = true, spell = false }
  for option, value in pairs(options) do
    vim.wo[window][0][option] = value
  end
  return window
end

---Goes to a window, without the mode of the one that is left.
---@param window integer
function M.go(window)
  vim.cmd.stopinsert()
  vim.api.nvim_set_current_win(window)
end

---Defines the colours of lines that go: the scheme's own, if it has one for what is behind them. Many schemes, Neovim's
---own too, have only a colour for the text, which would take away that of the syntax.
local function define_deletions()
  local of_scheme = vim.api.nvim_get_hl(0, { name = "DiffDelete", link = false })
  local is_dark = vim.o.background == "dark"
  local line = of_scheme.bg and { link = "DiffDelete" } or { bg = is_dark and "#40202a" or "#ffdfe0" }
  local words = { bg = is_dark and "#7d3040" or "#ffb3b8" }
  vim.api.nvim_set_hl(0, "KkcodeDelete", vim.tbl_extend("force", line, { default = true }))
  vim.api.nvim_set_hl(0, "KkcodeDeleteText", vim.tbl_extend("force", words, { default = true }))
end

---Defines our highlight groups; a colour scheme or the user may say otherwise.
function M.highlights()
  define_deletions()
  local links = {
    KkcodeAdd = "DiffAdd",
    KkcodeAddText = "DiffText",
    KkcodeStale = "DiagnosticVirtualTextWarn",
    KkcodeSignPending = "Added",
    KkcodeSignApplied = "Changed",
    KkcodeSignStale = "DiagnosticSignWarn",
    KkcodeNote = "Comment",
    KkcodeComment = "DiagnosticVirtualTextInfo",
    KkcodePrompt = "Title",
    KkcodeTool = "Comment",
    KkcodeKey = "Special",
  }
  for name, link in pairs(links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

return M
