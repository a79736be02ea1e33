--- What the user has set: defaults, under `vim.g.kkcode`, under `setup()`.

local M = {}

---@class kkcode.Config
---Start the server by itself for every buffer that is a file.
---@field autostart boolean
---@field server kkcode.Config.Server
---Files and folders that mark the root of a workspace.
---@field root_markers string[]
---@field restart kkcode.Config.Restart
---@field review kkcode.Config.Review
---@field turns kkcode.Config.Turns
---@field diff kkcode.Config.Diff
---Tell what happens by `vim.notify`: a turn that ended elsewhere than in view, a question that waits.
---@field notify boolean

---@class kkcode.Config.Server
---How to start the server; else `kkcode-lsp` of `$PATH`, else what `:Kkcode build` built.
---@field cmd string[]|false
---What `:Kkcode build` runs, in the folder of the repository; `{root}` stands for where the result belongs.
---@field build string[]
---Environment variables of the server.
---@field env table<string, string>
---Configuration in the shape of `config.yaml`.
---@field config table<string, any>
---kkcode's home instead of `$KKCODE_HOME` or `~/.kkcode`.
---@field home string|false
---Whether workspaces are trusted: for all, or by a function of the root folder. `nil` leaves it to the server's record.
---@field trusted boolean|(fun(root: string): boolean?)|nil

---@class kkcode.Config.Restart
---How often a server that ends by itself is started again before the user has to (`:Kkcode restart`).
---@field attempts integer
---How long to wait before the first time, in milliseconds; doubled each time.
---@field delay_ms integer
---The longest wait, in milliseconds.
---@field max_delay_ms integer

---@class kkcode.Config.Review
---Show hunks in the buffer.
---@field inline boolean
---Mark changed words in changed lines.
---@field words boolean
---The sign of a hunk by its state; `false` for none.
---@field signs table<string, string>|false
---The most lines that one hunk shows in the buffer; the rest is in `:Kkcode diff`.
---@field max_lines integer

---@class kkcode.Config.Turns
---Whether the view of a turn opens when it starts, by sub-command.
---@field open table<string, boolean>
---Where: `right`, `left`, `above` or `below`.
---@field split string
---How wide (or high) it is, as a part of the editor.
---@field size number
---The shortest time between two updates of the view, in milliseconds.
---@field throttle_ms integer

---@class kkcode.Config.Diff
---`vertical` or `horizontal`.
---@field layout string

---@type kkcode.Config
local defaults = {
  autostart = true,
  server = {
    cmd = false,
    build = { "cargo", "install", "--path", "server/lsp", "--locked", "--root", "{root}" },
    env = {},
    config = {},
    home = false,
    trusted = nil,
  },
  root_markers = { ".kkcode", "kkcode.config.yaml", "kkcode.config.yml", "kkcode.config.json", ".git" },
  restart = { attempts = 6, delay_ms = 250, max_delay_ms = 30000 },
  review = {
    inline = true,
    words = true,
    signs = { pending = "┃", applied = "┃", stale = "┊" },
    max_lines = 200,
  },
  turns = {
    open = { ask = true, plan = true, explain = true, agent = true, edit = false, fix = false },
    split = "right",
    size = 0.4,
    throttle_ms = 50,
  },
  diff = { layout = "vertical" },
  notify = true,
}

---Options of more than one type, or without a default.
---@type table<string, string[]>
local several_types = {
  ["server.cmd"] = { "table", "boolean" },
  ["server.home"] = { "string", "boolean" },
  ["server.trusted"] = { "boolean", "function" },
  ["review.signs"] = { "table", "boolean" },
}

---Tables whose keys are the user's.
---@type table<string, boolean>
local open_tables = { ["server.env"] = true, ["server.config"] = true }

---@type table
local given_to_setup = {}

---@return table
local function from_global()
  local given = vim.g.kkcode
  if type(given) == "function" then
    given = given()
  end
  return type(given) == "table" and given or {}
end

---Keeps options; what they say counts from now on.
---@param options? table
function M.setup(options)
  given_to_setup = options or {}
end

---Returns the options in force.
---@return kkcode.Config
function M.get()
  return vim.tbl_deep_extend("force", defaults, from_global(), given_to_setup)
end

---@param known any the default
---@param given any
---@param path string
---@param problems string[]
local function compare(known, given, path, problems)
  local types = several_types[path] or { type(known) }
  if not vim.tbl_contains(types, type(given)) then
    problems[#problems + 1] = ("`%s` is a %s and should be a %s"):format(
      path,
      type(given),
      table.concat(types, " or a ")
    )
  elseif type(given) == "table" and type(known) == "table" and not open_tables[path] and not vim.islist(given) then
    for key, value in pairs(given) do
      local below = path == "" and tostring(key) or path .. "." .. tostring(key)
      if known[key] == nil and not several_types[below] then
        problems[#problems + 1] = ("there is no option `%s`"):format(below)
      else
        compare(known[key], value, below, problems)
      end
    end
  end
end

---Returns what is wrong with what the user has set, for `:checkhealth`.
---@return string[]
function M.problems()
  local problems = {}
  for _, given in ipairs({ from_global(), given_to_setup }) do
    compare(defaults, given, "", problems)
  end
  table.sort(problems)
  return problems
end

return M
