--- The proposals that we know, kept true to the server's, and the decisions about them.

local client = require("kkcode.client")
local documents = require("kkcode.documents")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---@class kkcode.KnownProposal
---@field server kkcode.Server
---@field proposal kkcode.Proposal
---The text of each loaded buffer when the server was asked: positions are those of that text.
---@field ticks table<integer, integer>

---A hunk with where it is from.
---@class kkcode.PlacedHunk
---@field server kkcode.Server
---@field proposalId string
---@field file kkcode.ProposalFile
---@field hunk kkcode.Hunk

---@type table<string, kkcode.KnownProposal>
local known = {}

---Requests under way, and whether another one has to follow.
---@type table<string, "asked"|"again">
local asked = {}

---The states in which a hunk waits for the user.
local UNDECIDED = { pending = true, applying = true, applied = true, stale = true }

---Tells whether a hunk waits for the user.
---@param hunk kkcode.Hunk
---@return boolean
function M.is_undecided(hunk)
  return UNDECIDED[hunk.state] == true
end

---@param id string
---@return kkcode.KnownProposal?
function M.get(id)
  return known[id]
end

---Returns what we know of a server's proposals that are open.
---@param server? kkcode.Server
---@return kkcode.KnownProposal[]
function M.open(server)
  local open = vim.tbl_filter(function(entry)
    return entry.proposal.state == "open" and (not server or entry.server == server)
  end, vim.tbl_values(known))
  table.sort(open, function(a, b)
    return a.proposal.proposalId < b.proposal.proposalId
  end)
  return open
end

---Returns the undecided hunks of all proposals, file by file and from top to bottom.
---@param server? kkcode.Server
---@param is_wanted? fun(file: kkcode.ProposalFile): boolean
---@return kkcode.PlacedHunk[]
function M.hunks(server, is_wanted)
  local hunks = {}
  for _, entry in ipairs(M.open(server)) do
    local id = entry.proposal.proposalId
    for _, file in ipairs(entry.proposal.files) do
      for _, hunk in ipairs((not is_wanted or is_wanted(file)) and file.hunks or {}) do
        if M.is_undecided(hunk) then
          hunks[#hunks + 1] = { server = entry.server, proposalId = id, file = file, hunk = hunk }
        end
      end
    end
  end
  return hunks
end

---Returns the undecided hunks of a buffer.
---@param buffer integer
---@return kkcode.PlacedHunk[]
function M.hunks_of(buffer)
  return M.hunks(nil, function(file)
    return documents.buffer(file.uri) == buffer
  end)
end

---@param proposal kkcode.Proposal
---@return table<integer, integer> ticks
local function ticks_of(proposal)
  local ticks = {}
  for _, file in ipairs(proposal.files) do
    local buffer = documents.buffer(file.uri)
    if buffer then
      ticks[buffer] = vim.api.nvim_buf_get_changedtick(buffer)
    end
  end
  return ticks
end

---@return table<integer, integer> ticks of all loaded buffers
local function all_ticks()
  local ticks = {}
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) then
      ticks[buffer] = vim.api.nvim_buf_get_changedtick(buffer)
    end
  end
  return ticks
end

---Asks how a proposal stands, once however often this is called while the answer is on its way.
---@param server kkcode.Server
---@param id string
function M.refresh(server, id)
  if asked[id] then
    asked[id] = "again"
    return
  end
  asked[id] = "asked"
  local before = all_ticks()
  client.command(server, protocol.commands.proposal_show, { proposalId = id }, function(proposal)
    local now = ticks_of(proposal)
    local is_late = false
    for buffer, tick in pairs(now) do
      is_late = is_late or (before[buffer] ~= nil and before[buffer] ~= tick)
    end
    local again = asked[id] == "again" or is_late
    asked[id] = nil
    -- Places in a text that is another by now would be drawn in wrong lines.
    if not is_late then
      known[id] = { server = server, proposal = proposal, ticks = now }
      events.tell("proposal", { id = id })
    end
    if again then
      M.refresh(server, id)
    end
  end, function(failure)
    asked[id] = nil
    -- A session that was deleted takes its proposal along.
    if failure.code == client.REFUSED and known[id] then
      known[id] = nil
      events.tell("proposal", { id = id })
    end
  end)
end

---Asks for all open proposals of a workspace.
---@param server kkcode.Server
function M.refresh_all(server)
  client.command(server, protocol.commands.proposal_list, { state = "open" }, function(result)
    local listed = {}
    for _, summary in ipairs(result.proposals) do
      listed[summary.proposalId] = true
      M.refresh(server, summary.proposalId)
    end
    for id, entry in pairs(known) do
      if entry.server == server and not listed[id] and entry.proposal.state == "open" then
        M.refresh(server, id)
      end
    end
  end, client.unheeded)
end

---@param placed kkcode.PlacedHunk
---@param argument? table
---@return table
local function hunk_argument(placed, argument)
  return vim.tbl_extend("force", { proposalId = placed.proposalId, hunkId = placed.hunk.hunkId }, argument or {})
end

---Accepts a hunk, or the `lines` of it.
---@param placed kkcode.PlacedHunk
---@param argument? { lines?: kkcode.LineSelector, resolution?: kkcode.Resolution }
function M.accept(placed, argument)
  if placed.hunk.state == "stale" and not (argument and argument.resolution) then
    local how = placed.hunk.conflict and placed.hunk.conflict.mergedText and "merge" or "theirs"
    return ui.notify(
      ("%s; `:Kkcode accept %s` takes %s"):format(
        placed.hunk.reason or "the text around this hunk has changed",
        how,
        how == "merge" and "both" or "the proposal in place of your lines"
      ),
      vim.log.levels.WARN
    )
  end
  client.command(placed.server, protocol.commands.hunk_accept, hunk_argument(placed, argument))
end

---Rejects a hunk, or the `lines` of it.
---@param placed kkcode.PlacedHunk
---@param argument? { lines?: kkcode.LineSelector, reason?: string, replacement?: string }
function M.reject(placed, argument)
  client.command(placed.server, protocol.commands.hunk_reject, hunk_argument(placed, argument))
end

---Decides all hunks of a buffer's file, in every proposal that has some.
---@param hunks kkcode.PlacedHunk[]
---@param verdict "accept"|"reject"
---@param reason? string
function M.decide_files(hunks, verdict, reason)
  local name = verdict == "accept" and protocol.commands.file_accept or protocol.commands.file_reject
  local done = {}
  for _, placed in ipairs(hunks) do
    local key = placed.proposalId .. " " .. placed.file.uri
    if not done[key] then
      done[key] = true
      client.command(placed.server, name, { proposalId = placed.proposalId, uri = placed.file.uri, reason = reason })
    end
  end
end

---Decides all hunks of a workspace.
---@param server kkcode.Server
---@param verdict "accept"|"reject"
---@param reason? string
function M.decide_all(server, verdict, reason)
  local name = verdict == "accept" and protocol.commands.proposal_accept or protocol.commands.proposal_reject
  for _, entry in ipairs(M.open(server)) do
    client.command(server, name, { proposalId = entry.proposal.proposalId, reason = reason })
  end
end

---Undoes the last decision, or makes it again.
---@param direction "undo"|"redo"
function M.undo(direction)
  local name = direction == "undo" and protocol.commands.review_undo or protocol.commands.review_redo
  client.command(client.current(), name, {}, function(result)
    local decision = result.decision
    if not decision then
      return ui.notify(("there is no decision to %s"):format(direction))
    end
    local count = #decision.hunkIds
    local of = ("%s of %d hunk%s"):format(decision.action, count, count == 1 and "" or "s")
    ui.notify(direction == "undo" and of .. " undone" or of .. " made again")
  end)
end

events.on(protocol.notifications.proposal_did_change, function(heard)
  events.emit("ProposalChanged", heard.params)
  M.refresh(heard.server, heard.params.proposalId)
end)

events.on("server", function(started)
  M.refresh_all(started.server)
end)

return M
