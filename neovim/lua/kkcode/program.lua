--- The server's program: found by the option, by `$PATH`, or where `:Kkcode build` puts it.

local config = require("kkcode.config")
local ui = require("kkcode.ui")

local M = {}

---Whether the user was told that there is no server to start.
local told_missing = false

---@return string? folder the repository that this plugin is a part of
local function repository()
  local file = vim.api.nvim_get_runtime_file("lua/kkcode/program.lua", false)[1]
  local folder = file and vim.fs.normalize(vim.fn.fnamemodify(file, ":p:h:h:h:h"))
  return folder and vim.uv.fs_stat(folder .. "/server/lsp/Cargo.toml") and folder or nil
end

---@return string folder where `:Kkcode build` puts the server, in `bin/`
local function built_root()
  return vim.fs.normalize(vim.fn.stdpath("data") .. "/kkcode")
end

---Returns the command that starts the server and where it was found.
---@return string[]? cmd nothing when there is none
---@return string found by which road
function M.cmd()
  local given = config.get().server.cmd
  if given then
    return given, "the option `server.cmd`"
  end
  if vim.fn.executable("kkcode-lsp") == 1 then
    return { vim.fn.exepath("kkcode-lsp") }, "$PATH"
  end
  local built = built_root() .. "/bin/kkcode-lsp"
  if vim.fn.executable(built) == 1 then
    return { built }, "`:Kkcode build`"
  end
  return nil, "nowhere"
end

---Tells whether a command can be started; if not, tells the user what to do, once.
---@param cmd string[]|function
---@return boolean
function M.is_there(cmd)
  if type(cmd) ~= "table" or vim.fn.executable(cmd[1]) == 1 then
    return true
  end
  if not told_missing then
    told_missing = true
    local advice = config.get().server.cmd and "the option `server.cmd` names it" or "`:Kkcode build` makes one"
    ui.notify(("there is no program `%s`; %s"):format(cmd[1], advice), vim.log.levels.WARN)
  end
  return false
end

---Builds the server.
---@param built fun() called when it is there
function M.build(built)
  local folder = repository()
  if not folder then
    return ui.notify("the sources of the server are not beside this plugin; set `server.cmd`", vim.log.levels.ERROR)
  end
  local build = vim.tbl_map(function(word)
    return (word:gsub("{root}", function()
      return built_root()
    end))
  end, config.get().server.build)
  if vim.fn.executable(build[1]) == 0 then
    return ui.notify(("there is no program `%s` to build the server with"):format(build[1]), vim.log.levels.ERROR)
  end
  ui.notify("building the server: " .. table.concat(build, " "))
  vim.system(build, { cwd = folder, text = true }, function(done)
    vim.schedule(function()
      if done.code ~= 0 then
        return ui.notify("the server could not be built:\n" .. done.stderr, vim.log.levels.ERROR)
      end
      told_missing = false
      ui.notify("the server is built")
      built()
    end)
  end)
end

return M
