--- The quickfix list of hunks: one entry each, kept true while it is there.

local documents = require("kkcode.documents")
local events = require("kkcode.events")
local proposals = require("kkcode.proposals")
local review = require("kkcode.review")
local ui = require("kkcode.ui")

local M = {}

---The list's own number, by which it is found again whatever other lists there are.
local list_id ---@type integer?

---@type table<string, string>
local types = { stale = "W", applied = "I" }

---@param placed kkcode.PlacedHunk
---@return table
local function item(placed)
  local hunk = placed.hunk
  local buffer = documents.buffer(placed.file.uri)
  local first, last = documents.rows(hunk.range)
  first, last = first + 1, last + 1
  for _, shown in ipairs(buffer and review.hunks(buffer) or {}) do
    if buffer and shown.hunk.hunkId == hunk.hunkId then
      first, last = review.lines(buffer, shown)
    end
  end
  local old, new = ui.lines(hunk.oldText), ui.lines(hunk.newText)
  return {
    bufnr = buffer,
    filename = not buffer and documents.path(placed.file.uri) or nil,
    lnum = first,
    end_lnum = last,
    col = 1,
    type = types[hunk.state] or "",
    text = ("%s -%d +%d  %s"):format(hunk.state, #old, #new, ui.one_line(new[1] or old[1] or "", 60)),
    user_data = { proposalId = placed.proposalId, hunkId = hunk.hunkId },
  }
end

---@return table[]
local function items()
  return vim.tbl_map(item, proposals.hunks())
end

---Fills a quickfix list with the hunks of all proposals and opens it.
function M.open()
  local all = items()
  if #all == 0 then
    return ui.notify("no hunk waits for you")
  end
  vim.fn.setqflist({}, " ", { title = "kkcode hunks", items = all })
  list_id = vim.fn.getqflist({ id = 0 }).id
  vim.cmd("botright copen")
end

events.on("proposal", function()
  if list_id and vim.fn.getqflist({ id = list_id }).id == list_id then
    local index = vim.fn.getqflist({ id = list_id, idx = 0 }).idx
    local all = items()
    vim.fn.setqflist({}, "r", { id = list_id, items = all, idx = math.max(1, math.min(index, #all)) })
  else
    list_id = nil
  end
end)

return M
