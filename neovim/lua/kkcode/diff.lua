--- Side by side: the virtual documents `kkcode-base:` and `kkcode-proposed:`, of which the latter can be edited.

local client = require("kkcode.client")
local config = require("kkcode.config")
local documents = require("kkcode.documents")
local events = require("kkcode.events")
local proposals = require("kkcode.proposals")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---What a buffer of ours shows.
---@class kkcode.VirtualDocument
---@field side "base"|"proposed"
---@field proposalId string
---@field path string absolute

---@param name string the name of a buffer
---@return kkcode.VirtualDocument?
local function parse(name)
  local side, id, path = name:match("^kkcode%-(%a+):/+([^/]+)(/.*)$")
  if not id or not path or (side ~= "base" and side ~= "proposed") then
    return nil
  end
  return { side = side, proposalId = id, path = vim.uri_decode(path) }
end

---@param document kkcode.VirtualDocument
---@return string
local function name_of(document)
  local encoded = vim.uri_from_fname(document.path):gsub("^file://", "")
  return ("kkcode-%s:/%s%s"):format(document.side, document.proposalId, encoded)
end

---@param buffer integer
---@return kkcode.VirtualDocument?
function M.of(buffer)
  return parse(vim.api.nvim_buf_get_name(buffer))
end

---@param document kkcode.VirtualDocument
---@return kkcode.Server?
local function server_of(document)
  local entry = proposals.get(document.proposalId)
  return entry and entry.server or client.current()
end

---Returns the proposal's file that a document is a side of.
---@param document kkcode.VirtualDocument
---@return kkcode.ProposalFile?
---@return kkcode.KnownProposal?
local function file_of(document)
  local entry = proposals.get(document.proposalId)
  for _, file in ipairs(entry and entry.proposal.files or {}) do
    if documents.path(file.uri) == vim.fs.normalize(document.path) then
      return file, entry
    end
  end
end

---Puts a text into a buffer, its line endings and the missing last one included.
---@param buffer integer
---@param text string
local function fill(buffer, text)
  local _, feeds = text:gsub("\n", "")
  local _, returns = text:gsub("\r\n", "")
  local is_dos = feeds > 0 and feeds == returns
  local lines = vim.split(is_dos and text:gsub("\r\n", "\n") or text, "\n", { plain = true })
  local has_end = text == "" or lines[#lines] == ""
  if has_end and #lines > 1 then
    lines[#lines] = nil
  end
  if vim.deep_equal(lines, vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) then
    vim.bo[buffer].modified = false
    return
  end
  local was_modifiable = vim.bo[buffer].modifiable
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].fileformat = is_dos and "dos" or "unix"
  vim.bo[buffer].fixendofline = false
  vim.bo[buffer].endofline = has_end
  vim.bo[buffer].modifiable = was_modifiable
  vim.bo[buffer].modified = false
  for _, window in ipairs(ui.windows(buffer, "everywhere")) do
    if vim.wo[window].diff then
      vim.api.nvim_win_call(window, vim.cmd.diffupdate)
    end
  end
end

---@param buffer integer
---@return string
local function text_of(buffer)
  local ending = vim.bo[buffer].fileformat == "dos" and "\r\n" or "\n"
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  local text = table.concat(lines, ending)
  return vim.bo[buffer].endofline and text ~= "" and text .. ending or text
end

---@param buffer integer
---@param document kkcode.VirtualDocument
local function load(buffer, document)
  client.request(
    server_of(document),
    protocol.requests.proposal_content,
    { uri = name_of(document) },
    function(failure, result)
      if not vim.api.nvim_buf_is_valid(buffer) then
        return
      end
      if failure then
        return ui.failed(failure)
      end
      if not vim.bo[buffer].modified then
        fill(buffer, result.text)
      end
    end
  )
end

---Colours a text as what its path says, without the file type's plugins: they would take it for a file.
---@param buffer integer
---@param path string
local function colour(buffer, path)
  local filetype = vim.filetype.match({ filename = path, buf = buffer })
  local language = filetype and vim.treesitter.language.get_lang(filetype)
  if filetype and not (language and pcall(vim.treesitter.start, buffer, language)) then
    vim.bo[buffer].syntax = filetype
  end
end

---Reads a virtual document into its buffer, for `BufReadCmd`.
---@param buffer integer
function M.read(buffer)
  local document = M.of(buffer)
  if not document then
    return ui.notify("this is no document of a proposal", vim.log.levels.ERROR)
  end
  local server = server_of(document)
  vim.b[buffer].kkcode_root = server and server.root
  vim.bo[buffer].buftype = document.side == "proposed" and "acwrite" or "nofile"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].buflisted = false
  vim.bo[buffer].modifiable = document.side == "proposed"
  colour(buffer, document.path)
  M.maps(buffer, document)
  load(buffer, document)
end

---Gives the user's own version of a proposed text to the agent, for `BufWriteCmd`.
---@param buffer integer
function M.write(buffer)
  local document = M.of(buffer)
  local file = document and file_of(document)
  if not document or not file then
    return ui.notify("the proposal of this text is gone", vim.log.levels.ERROR)
  end
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  local argument = { proposalId = document.proposalId, uri = file.uri, text = text_of(buffer) }
  client.command(server_of(document), protocol.commands.proposal_edit, argument, function()
    if vim.api.nvim_buf_is_valid(buffer) and vim.api.nvim_buf_get_changedtick(buffer) == tick then
      vim.bo[buffer].modified = false
    end
    ui.notify("your version of " .. documents.short(file.uri) .. " is the proposal now")
  end)
end

---Returns where the hunks of a proposed text are in it, from top to bottom.
---@param document kkcode.VirtualDocument
---@return { placed: kkcode.PlacedHunk, first: integer, count: integer }[] from line 0
local function places(document)
  local file, entry = file_of(document)
  local found, moved = {}, 0
  if not file or not entry then
    return found
  end
  for _, hunk in ipairs(file.hunks) do
    local is_in_text = hunk.state == "applied"
    if is_in_text or hunk.state == "pending" or hunk.state == "applying" then
      local old, new = #ui.lines(hunk.oldText), #ui.lines(hunk.newText)
      local first, last = documents.rows(hunk.range)
      if (is_in_text and new or old) == 0 then
        local is_at_start = hunk.range["end"].line == 0 and hunk.range["end"].character == 0
        first = is_at_start and 0 or last + 1
      end
      found[#found + 1] = {
        placed = { server = entry.server, proposalId = document.proposalId, file = file, hunk = hunk },
        first = first + moved,
        count = new,
      }
      moved = moved + (is_in_text and 0 or new - old)
    end
  end
  return found
end

---Returns the hunks of the proposed text in a buffer that have one of its lines, each with the first of its lines there.
---@param buffer integer
---@param first integer from 1
---@param last integer included
---@return { placed: kkcode.PlacedHunk, first: integer, count: integer }[]
function M.at(buffer, first, last)
  local document = M.of(buffer)
  if not document or document.side ~= "proposed" then
    return {}
  end
  return vim.tbl_filter(function(place)
    -- What only takes lines out belongs to the line before it.
    local from = place.count == 0 and math.max(place.first - 1, 0) or place.first
    local to = place.count == 0 and from or place.first + place.count - 1
    return from <= last - 1 and to >= first - 1
  end, places(document))
end

---@param buffer integer
---@param document kkcode.VirtualDocument
function M.maps(buffer, document)
  local decide = function(verdict)
    return function()
      require("kkcode.decide").here(verdict)
    end
  end
  local decide_lines = function(verdict)
    return function()
      local first, last = vim.fn.line("v"), vim.fn.line(".")
      vim.api.nvim_feedkeys(vim.keycode("<Esc>"), "nx", false)
      require("kkcode.decide").lines(verdict, math.min(first, last), math.max(first, last))
    end
  end
  local jump = function(key)
    return function()
      vim.cmd("normal! " .. vim.v.count1 .. key)
    end
  end
  local maps = {
    { "]h", "next hunk", jump("]c") },
    { "[h", "previous hunk", jump("[c") },
    { "<LocalLeader>q", "close this tab page; decides nothing", "<Cmd>tabclose<CR>" },
  }
  if document.side == "proposed" then
    vim.list_extend(maps, {
      { "<LocalLeader>a", "accept the hunk", decide("accept") },
      { "<LocalLeader>r", "reject the hunk", decide("reject") },
      { "<LocalLeader>a", "accept the lines", decide_lines("accept"), mode = "x" },
      { "<LocalLeader>r", "reject the lines", decide_lines("reject"), mode = "x" },
    })
  end
  ui.maps(buffer, maps)
end

---@param document kkcode.VirtualDocument
---@return integer buffer
local function buffer_of(document)
  local buffer = vim.fn.bufadd(name_of(document))
  vim.fn.bufload(buffer)
  return buffer
end

---@param window integer
---@param buffer integer
---@param title string
local function put(window, buffer, title)
  vim.api.nvim_win_set_buf(window, buffer)
  vim.wo[window][0].winbar = title:gsub("%%", "%%%%")
  vim.api.nvim_win_call(window, vim.cmd.diffthis)
end

---Closes one side with the other: alone it compares nothing.
---@param left integer window
---@param right integer
local function close_together(left, right)
  vim.api.nvim_create_autocmd("WinClosed", {
    pattern = { tostring(left), tostring(right) },
    once = true,
    callback = function(event)
      local other = tonumber(event.match) == left and right or left
      vim.schedule(function()
        local is_ours = vim.api.nvim_win_is_valid(other) and M.of(vim.api.nvim_win_get_buf(other)) ~= nil
        if is_ours and not vim.bo[vim.api.nvim_win_get_buf(other)].modified then
          -- The last window of Neovim stays.
          pcall(vim.api.nvim_win_close, other, false)
        end
      end)
    end,
  })
end

---Opens both sides of a file in a tab page of their own, or goes to the one that has them.
---@param proposal_id string
---@param path string absolute
function M.open(proposal_id, path)
  local base = buffer_of({ side = "base", proposalId = proposal_id, path = path })
  local proposed = buffer_of({ side = "proposed", proposalId = proposal_id, path = path })
  local open = ui.windows(proposed, "everywhere")[1]
  if open and vim.wo[open].diff then
    return ui.go(open)
  end
  vim.cmd.stopinsert()
  vim.cmd("tab split")
  local short = vim.fn.fnamemodify(path, ":~:.")
  put(0, base, " " .. short .. ": base")
  local split = config.get().diff.layout == "horizontal" and "below" or "right"
  local left = vim.api.nvim_get_current_win()
  local right = vim.api.nvim_open_win(proposed, true, { split = split, win = 0 })
  close_together(left, right)
  put(right, proposed, " " .. short .. ": proposed (:w takes yours, g? keys)")
end

---Opens what the server wants to show, if that is a virtual document.
---@param server kkcode.Server
---@param params { uri: string, takeFocus?: boolean }
---@return boolean whether it was
function M.show_document(server, params)
  local document = parse(params.uri)
  if not document then
    return false
  end
  if not proposals.get(document.proposalId) then
    proposals.refresh(server, document.proposalId)
  end
  M.open(document.proposalId, document.path)
  return true
end

---Opens the difference of the current file, else of the first file that has hunks, else of `path`.
---@param path? string
function M.here(path)
  local document = M.of(vim.api.nvim_get_current_buf())
  if document and not path then
    return M.open(document.proposalId, document.path)
  end
  local name = vim.fs.normalize(vim.fn.fnamemodify(path or vim.api.nvim_buf_get_name(0), ":p"))
  local all = proposals.hunks(nil)
  local found
  for _, placed in ipairs(all) do
    if documents.path(placed.file.uri) == name then
      found = placed
      break
    end
  end
  if path and not found then
    return ui.notify("nothing is proposed for " .. path)
  end
  found = found or all[1]
  if not found then
    return ui.notify("no hunk waits for you")
  end
  M.open(found.proposalId, documents.path(found.file.uri))
end

events.on("proposal", function(told)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local document = vim.api.nvim_buf_is_loaded(buffer) and M.of(buffer)
    if document and document.proposalId == told.id and not vim.bo[buffer].modified then
      load(buffer, document)
    end
  end
end)

return M
