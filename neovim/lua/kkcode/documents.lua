--- The user's documents: what the server asks of them, and how we name their parts to it.

local M = {}

---Returns the file of a URI as buffers name it.
---@param uri string
---@return string
function M.path(uri)
  return vim.fs.normalize(vim.uri_to_fname(uri))
end

---Returns the loaded buffer of a file, if there is one.
---@param uri string
---@return integer?
function M.buffer(uri)
  local path = M.path(uri)
  local real = vim.uv.fs_realpath(path)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].buftype == "" then
      local name = vim.fs.normalize(vim.api.nvim_buf_get_name(buffer))
      if name == path or (real and name == real) then
        return buffer
      end
    end
  end
end

---Returns a path as the user would write it.
---@param uri string
---@return string
function M.short(uri)
  return vim.fn.fnamemodify(M.path(uri), ":~:.")
end

---What a file was when a buffer last read or wrote it: a file that is another by now cannot be written without a question,
---which nobody may be there to answer.
---@type table<integer, string>
local stamps = {}

---@param path string
---@return string stamp empty where there is no file
local function stamp_of(path)
  local stat = vim.uv.fs_stat(path)
  return stat and ("%d %d.%d"):format(stat.size, stat.mtime.sec, stat.mtime.nsec) or ""
end

---Remembers what is on the disk as what a buffer knows.
---@param buffer integer
local function stamp(buffer)
  if vim.bo[buffer].buftype == "" then
    stamps[buffer] = stamp_of(vim.api.nvim_buf_get_name(buffer))
  end
end

---Saves a document that the user has open, as a command of the agent's is about to read it from the disk.
---@param uri string
---@return kkcode.DocumentSaveResult
function M.save(uri)
  local buffer = M.buffer(uri)
  if not buffer then
    return { saved = false }
  end
  if stamps[buffer] and stamps[buffer] ~= stamp_of(vim.api.nvim_buf_get_name(buffer)) then
    return { saved = false }
  end
  local saved = pcall(vim.api.nvim_buf_call, buffer, function()
    vim.cmd("silent update")
  end)
  return { saved = saved and not vim.bo[buffer].modified }
end

---Closes the undo step of each document of an edit, so that the edit becomes a step of its own.
---@param edit table an LSP workspace edit
function M.close_undo_steps(edit)
  local uris = vim.tbl_keys(edit.changes or {})
  for _, change in ipairs(edit.documentChanges or {}) do
    uris[#uris + 1] = change.textDocument and change.textDocument.uri
  end
  for _, uri in ipairs(uris) do
    local buffer = M.buffer(uri)
    if buffer then
      vim.api.nvim_buf_call(buffer, function()
        vim.cmd("let &l:undolevels = &l:undolevels")
      end)
    end
  end
end

---@param text string
---@param encoding string
---@return integer length in code units of the encoding
local function units(text, encoding)
  return encoding == "utf-8" and #text or encoding == "utf-32" and vim.fn.strchars(text) or vim.fn.strutf16len(text)
end

---Returns whole lines of a buffer as a range, in the encoding of the client.
---@param buffer integer
---@param first integer from 1
---@param last integer included
---@param encoding string
---@return kkcode.Range
function M.range(buffer, first, last, encoding)
  local start = { line = first - 1, character = 0 }
  if last < vim.api.nvim_buf_line_count(buffer) then
    return { start = start, ["end"] = { line = last, character = 0 } }
  end
  local text = vim.api.nvim_buf_get_lines(buffer, last - 1, last, false)[1] or ""
  return { start = start, ["end"] = { line = last - 1, character = units(text, encoding) } }
end

---Returns the first and last line of a range, from 0; one that ends where a line starts has nothing of that line.
---@param range kkcode.Range
---@return integer first
---@return integer last
function M.rows(range)
  local from, to = range.start.line, range["end"]
  local behind = to.character == 0 and to.line > from
  return from, behind and to.line - 1 or to.line
end

---Returns the diagnostics of a part of a buffer that other servers and tools have found, as the protocol has them.
---@param buffer integer
---@param first integer from 1
---@param last integer included
---@param encoding string of the client
---@return kkcode.ContextDiagnostic[]
function M.diagnostics(buffer, first, last, encoding)
  local uri = vim.uri_from_bufnr(buffer)
  -- Neovim counts bytes in its own diagnostics.
  local position = function(line, column)
    local text = vim.api.nvim_buf_get_lines(buffer, line, line + 1, false)[1] or ""
    return { line = line, character = units(text:sub(1, column), encoding) }
  end
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(buffer)) do
    if diagnostic.lnum <= last - 1 and (diagnostic.end_lnum or diagnostic.lnum) >= first - 1 then
      found[#found + 1] = {
        uri = uri,
        diagnostic = {
          range = {
            start = position(diagnostic.lnum, diagnostic.col),
            ["end"] = position(diagnostic.end_lnum or diagnostic.lnum, diagnostic.end_col or diagnostic.col),
          },
          severity = diagnostic.severity,
          code = diagnostic.code,
          source = diagnostic.source,
          message = diagnostic.message,
        },
      }
    end
  end
  return found
end

---Begins to look after what buffers know of the disk; called once.
local function watch()
  local group = vim.api.nvim_create_augroup("kkcode.documents", {})
  vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufWritePost", "FileChangedShellPost" }, {
    group = group,
    callback = function(event)
      stamp(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd("BufUnload", {
    group = group,
    callback = function(event)
      stamps[event.buf] = nil
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and not vim.bo[buffer].modified then
      stamp(buffer)
    end
  end
end

watch()

return M
