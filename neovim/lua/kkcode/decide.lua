--- Accepting and rejecting: what is under the cursor, in some lines, in the file, everywhere.

local client = require("kkcode.client")
local diff = require("kkcode.diff")
local proposals = require("kkcode.proposals")
local review = require("kkcode.review")
local ui = require("kkcode.ui")
local words = require("kkcode.words")

local M = {}

---@alias kkcode.Verdict "accept"|"reject"

---@class kkcode.DecisionOptions
---@field reason? string
---@field resolution? kkcode.Resolution

---@param verdict kkcode.Verdict
---@param placed kkcode.PlacedHunk
---@param options kkcode.DecisionOptions
---@param lines? kkcode.LineSelector
local function decide(verdict, placed, options, lines)
  if verdict == "accept" then
    proposals.accept(placed, { lines = lines, resolution = options.resolution })
  else
    proposals.reject(placed, { lines = lines, reason = options.reason })
  end
end

---Returns the first and the last of the other side's lines that take the place of some lines.
---@param by table<integer, integer>
---@param first integer
---@param last integer
---@return [integer, integer]? from 0, the second not included
local function partners(by, first, last)
  local from, to
  for line = first, last do
    local partner = by[line]
    if partner then
      from, to = math.min(from or partner, partner), math.max(to or partner, partner)
    end
  end
  return from and { from - 1, to } or nil
end

---Returns what a choice of lines on one side of a hunk means, or nothing when it is the whole hunk.
---@param hunk kkcode.Hunk
---@param side "old"|"new"
---@param first integer from 1, may lie before the hunk
---@param last integer included, may lie behind the hunk
---@return kkcode.LineSelector?
local function selector(hunk, side, first, last)
  local old, new = ui.lines(hunk.oldText), ui.lines(hunk.newText)
  local count = side == "old" and #old or #new
  first, last = math.max(first, 1), math.min(last, count)
  if count == 0 or (first == 1 and last == count) then
    return nil
  end
  local by = words.align(old, new)
  if side == "new" then
    local back = {}
    for i, j in pairs(by) do
      back[j] = i
    end
    by = back
  end
  local other = side == "old" and "new" or "old"
  return { [side] = { first - 1, last }, [other] = partners(by, first, last) }
end

---@param hunks any[]
---@return boolean
local function none(hunks)
  if #hunks == 0 then
    ui.notify("there is no hunk here")
  end
  return #hunks == 0
end

---Decides the hunk under the cursor.
---@param verdict kkcode.Verdict
---@param options? kkcode.DecisionOptions
function M.here(verdict, options)
  local buffer, line = vim.api.nvim_get_current_buf(), vim.fn.line(".")
  local hunks = diff.of(buffer)
      and vim.tbl_map(function(place)
        return place.placed
      end, diff.at(buffer, line, line))
    or review.at(buffer, line, line)
  if not none(hunks) then
    decide(verdict, hunks[1] --[[@as kkcode.PlacedHunk]], options or {})
  end
end

---Decides the chosen lines of hunks: in the proposed text those that would come, in a file those that would go.
---@param verdict kkcode.Verdict
---@param first integer from 1
---@param last integer included
---@param options? kkcode.DecisionOptions
function M.lines(verdict, first, last, options)
  local buffer = vim.api.nvim_get_current_buf()
  options = options or {}
  if diff.of(buffer) then
    if vim.bo[buffer].modified then
      return ui.notify("you have changed this text; `:write` it first", vim.log.levels.WARN)
    end
    local places = diff.at(buffer, first, last)
    for _, place in ipairs(none(places) and {} or places) do
      local hunk, before = place.placed.hunk, place.first --[[@as integer]]
      decide(verdict, place.placed, options, selector(hunk, "new", first - before, last - before))
    end
    return
  end
  local hunks = review.at(buffer, first, last)
  for _, hunk in ipairs(none(hunks) and {} or hunks) do
    local from = review.lines(buffer, hunk)
    local side = hunk.hunk.state == "applied" and "new" or "old"
    local lines = hunk.height > 0 and selector(hunk.hunk, side, first - from + 1, last - from + 1) or nil
    decide(verdict, hunk, options, lines)
  end
end

---Decides all hunks of the current file.
---@param verdict kkcode.Verdict
---@param options? kkcode.DecisionOptions
function M.file(verdict, options)
  local buffer = vim.api.nvim_get_current_buf()
  local document = diff.of(buffer)
  local hunks = document
      and proposals.hunks(nil, function(file)
        return require("kkcode.documents").path(file.uri) == vim.fs.normalize(document.path)
      end)
    or review.hunks(buffer)
  if not none(hunks) then
    proposals.decide_files(hunks, verdict, options and options.reason)
  end
end

---Decides all hunks of the workspace.
---@param verdict kkcode.Verdict
---@param options? kkcode.DecisionOptions
function M.all(verdict, options)
  local server = client.current()
  if not server or #proposals.open(server) == 0 then
    return ui.notify("no hunk waits for you")
  end
  proposals.decide_all(server, verdict, options and options.reason)
end

---Keeps a comment on the hunk under the cursor, or on lines, for the agent's next turn.
---@param first integer from 1
---@param last integer included
---@param is_range boolean
---@param text? string asked for when left out
function M.comment(first, last, is_range, text)
  local documents = require("kkcode.documents")
  local buffer = vim.api.nvim_get_current_buf()
  local hunks = diff.of(buffer)
      and vim.tbl_map(function(place)
        return place.placed
      end, diff.at(buffer, first, last))
    or review.at(buffer, first, last)
  local placed = hunks[1]
  local entry = proposals.open(client.current())[1]
  if not placed and not entry then
    return ui.notify("there is no proposal to comment on")
  end
  local argument = {
    proposalId = placed and placed.proposalId or entry.proposal.proposalId,
    uri = placed and placed.file.uri or vim.uri_from_bufnr(buffer),
  }
  if is_range or not placed then
    local running = (placed or entry).server.client
    local encoding = running and running.offset_encoding or "utf-16"
    argument.range = documents.range(buffer, first, last, encoding)
  else
    argument.hunkId = placed.hunk.hunkId
  end
  require("kkcode.comments").ask(buffer, first, (placed or entry).server, argument, text)
end

return M
