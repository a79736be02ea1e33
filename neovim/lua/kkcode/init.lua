--- The plugin's public functions; `:help kkcode-lua` describes them.

local M = {}

---The modules that hear what the server tells.
local followers = {
  "proposals",
  "review",
  "diff",
  "quickfix",
  "turns",
  "turn_view",
  "permissions",
  "questions",
  "tasks",
  "status",
}

---Sets options; not needed when the defaults are right or `vim.g.kkcode` says the rest.
---@param options? table of the shape of `kkcode.Config`, every part optional
function M.setup(options)
  require("kkcode.config").setup(options)
end

---Loads what follows the server; done by itself with the first file.
function M.load()
  require("kkcode.ui").highlights()
  for _, module in ipairs(followers) do
    require("kkcode." .. module)
  end
end

---Returns how things stand, as text and as a table, for a statusline.
---@return string text
---@return table parts
function M.statusline()
  return require("kkcode.status").line()
end

---Starts a turn.
---@param verb "ask"|"plan"|"agent"|"edit"|"fix"|"explain"
---@param options? kkcode.PromptOptions
function M.prompt(verb, options)
  require("kkcode.prompt").start(verb, options)
end

---Returns the hunks that wait for the user, file by file and from top to bottom.
---@return { proposalId: string, hunkId: string, uri: string, state: kkcode.HunkState, range: kkcode.Range }[]
function M.hunks()
  return vim.tbl_map(function(placed)
    return {
      proposalId = placed.proposalId,
      hunkId = placed.hunk.hunkId,
      uri = placed.file.uri,
      state = placed.hunk.state,
      range = placed.hunk.range,
    }
  end, require("kkcode.proposals").hunks())
end

---Executes a command of the protocol.
---@param name string such as `kkcode.session.list`
---@param argument? table
---@param answer? kkcode.Answered
function M.execute(name, argument, answer)
  local client = require("kkcode.client")
  local params = { command = name, arguments = { argument and next(argument) and argument or vim.empty_dict() } }
  client.request(client.current(), "workspace/executeCommand", params, answer or client.unheeded)
end

return M
