--- Comments on a proposal: shown at their lines until they are sent with the next turn.

local client = require("kkcode.client")
local events = require("kkcode.events")
local proposals = require("kkcode.proposals")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

local namespace = vim.api.nvim_create_namespace("kkcode.comments")

---@param buffer integer
---@param line integer from 1
---@param text string
local function show(buffer, line, text)
  vim.api.nvim_buf_set_extmark(buffer, namespace, line - 1, 0, {
    virt_text = { { "  » " .. ui.one_line(text, 80), "KkcodeComment" } },
    virt_text_pos = "eol",
    strict = false,
  })
end

---Keeps a comment for the next turn; asks for its text when there is none.
---@param buffer integer
---@param line integer from 1
---@param server kkcode.Server
---@param argument table of `kkcode.review.comment`, without the text
---@param text? string
function M.ask(buffer, line, server, argument, text)
  local keep = function(input)
    if input and vim.trim(input) ~= "" then
      argument.text = input
      client.command(server, protocol.commands.review_comment, argument, function()
        show(buffer, line, input)
      end)
    end
  end
  if text and text ~= "" then
    return keep(text)
  end
  vim.ui.input({ prompt = "Comment: " }, keep)
end

---Starts the next turn with all comments and decisions.
function M.send()
  local entry = proposals.open(client.current())[1]
  if not entry then
    return ui.notify("there is no proposal to answer")
  end
  local id = entry.proposal.proposalId
  client.command(entry.server, protocol.commands.review_send, { proposalId = id }, function(result)
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      if vim.api.nvim_buf_is_loaded(buffer) then
        vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
      end
    end
    events.tell("turn/started", {
      server = entry.server,
      turnId = result.turnId,
      sessionId = entry.proposal.origin.sessionId,
      prompt = "the review: your comments and decisions",
      mode = "agent",
      verb = "agent",
    })
  end)
end

return M
