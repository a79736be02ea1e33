--- Defines `:Kkcode`, the `<Plug>` maps and what starts the server; everything else is loaded when it is used.

if vim.g.loaded_kkcode then
  return
end
vim.g.loaded_kkcode = true

if vim.fn.has("nvim-0.10") == 0 then
  vim.notify("kkcode: Neovim 0.10 or newer is needed", vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command("Kkcode", function(options)
  require("kkcode.command").run(options)
end, {
  nargs = "*",
  range = true,
  bang = true,
  desc = "coding agents: ask, edit, accept, reject, …",
  complete = function(...)
    return require("kkcode.command").complete(...)
  end,
})

---@param mode string|string[]
---@param name string
---@param what string|function
---@param about string
local function plug(mode, name, what, about)
  vim.keymap.set(mode, "<Plug>(kkcode-" .. name .. ")", what, { desc = "kkcode: " .. about, silent = true })
end

-- Verbs: operators in normal mode, the selected lines in visual mode, the current line with `-line`.
for _, verb in ipairs({ "ask", "plan", "agent", "edit", "fix", "explain" }) do
  for name, motion in pairs({ [verb] = "", [verb .. "-line"] = "_" }) do
    vim.keymap.set("n", "<Plug>(kkcode-" .. name .. ")", function()
      return require("kkcode.prompt").operator(verb, motion)
    end, { expr = true, desc = "kkcode: " .. verb })
  end
  plug("x", verb, ":Kkcode " .. verb .. "<CR>", verb .. " the selected lines")
  plug("n", verb .. "-file", "<Cmd>Kkcode " .. verb .. "<CR>", verb .. " the file")
end

for name, command in pairs({
  ["accept"] = "accept",
  ["accept-file"] = "accept file",
  ["accept-all"] = "accept all",
  ["accept-merge"] = "accept merge",
  ["accept-theirs"] = "accept theirs",
  ["reject"] = "reject",
  ["reject-file"] = "reject file",
  ["reject-all"] = "reject all",
  ["comment"] = "comment",
  ["send"] = "send",
  ["diff"] = "diff",
  ["quickfix"] = "quickfix",
  ["toggle"] = "toggle",
  ["undo"] = "undo",
  ["redo"] = "redo",
  ["turn"] = "turn",
  ["cancel"] = "cancel",
  ["tasks"] = "tasks",
  ["task-start"] = "task start",
  ["sessions"] = "sessions",
  ["permissions"] = "permissions",
  ["allow"] = "allow once",
  ["allow-first"] = "allow first",
  ["allow-session"] = "allow session",
  ["allow-always"] = "allow always",
  ["deny"] = "deny",
  ["level"] = "level",
  ["model"] = "model",
  ["trust"] = "trust",
  ["log"] = "log",
}) do
  plug("n", name, "<Cmd>Kkcode " .. command .. "<CR>", command)
end
for _, name in ipairs({ "accept", "reject", "comment" }) do
  plug("x", name, ":Kkcode " .. name .. "<CR>", name .. " the selected lines")
end

for name, step in pairs({ next = 1, prev = -1 }) do
  plug({ "n", "x" }, name, function()
    require("kkcode.review").jump(step, vim.v.count1)
  end, name .. " hunk")
end

local group = vim.api.nvim_create_augroup("kkcode", {})

vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  pattern = { "kkcode-base:/*", "kkcode-proposed:/*" },
  callback = function(event)
    require("kkcode").load()
    require("kkcode.diff").read(event.buf)
  end,
})
vim.api.nvim_create_autocmd("BufWriteCmd", {
  group = group,
  pattern = "kkcode-proposed:/*",
  callback = function(event)
    require("kkcode.diff").write(event.buf)
  end,
})

local is_loaded = false

---Starts the server for a buffer, if the user wants that.
---@param buffer integer
local function attach(buffer)
  if vim.bo[buffer].buftype ~= "" or vim.api.nvim_buf_get_name(buffer) == "" then
    return
  end
  if not require("kkcode.config").get().autostart then
    return
  end
  if not is_loaded then
    is_loaded = true
    require("kkcode").load()
  end
  require("kkcode.client").attach(buffer)
end

vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufFilePost" }, {
  group = group,
  callback = function(event)
    -- After the file type is known and the first screen is drawn; a start must not wait for us.
    vim.schedule(function()
      if vim.api.nvim_buf_is_valid(event.buf) then
        attach(event.buf)
      end
    end)
  end,
})
vim.api.nvim_create_autocmd("LspAttach", {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "kkcode" and not is_loaded then
      is_loaded = true
      require("kkcode").load()
    end
  end,
})
vim.api.nvim_create_autocmd("ColorScheme", {
  group = group,
  callback = function()
    require("kkcode.ui").highlights()
  end,
})
