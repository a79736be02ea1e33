--- Who wants to know what: between our modules, and for the user as `User Kkcode*` autocommands.

local M = {}

---@type table<string, fun(data: table)[]>
local subscribers = {}

---Calls `callback` whenever `name` is told.
---@param name string
---@param callback fun(data: table)
function M.on(name, callback)
  subscribers[name] = subscribers[name] or {}
  table.insert(subscribers[name], callback)
end

---Tells our own modules.
---@param name string the method of a notification, or a name of ours
---@param data table
function M.tell(name, data)
  for _, callback in ipairs(subscribers[name] or {}) do
    callback(data)
  end
end

---Tells the user's autocommands, which get `data`, and our own modules.
---@param name string what stands in the pattern after `Kkcode`; they are listed in `:help kkcode-events`
---@param data table
function M.emit(name, data)
  M.tell(name, data)
  vim.api.nvim_exec_autocmds("User", { pattern = "Kkcode" .. name, modeline = false, data = data })
end

return M
