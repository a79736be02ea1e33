--- How things stand: level, model, trust, and the line about it.

local client = require("kkcode.client")
local events = require("kkcode.events")
local protocol = require("kkcode.protocol")
local ui = require("kkcode.ui")

local M = {}

---@type table<string, kkcode.StatusResult>
local of_root = {}

---@type table<string, boolean>
local due = {}

M.levels = { "readonly", "manual", "accept-edits", "yolo" }

---Asks how things stand, once for all that happens in one go.
---@param server kkcode.Server
function M.refresh(server)
  if due[server.root] then
    return
  end
  due[server.root] = true
  vim.defer_fn(function()
    due[server.root] = nil
    if not client.is_up(server) then
      return
    end
    client.command(server, protocol.commands.status, {}, function(result)
      of_root[server.root] = result
      events.emit("StatusChanged", result)
      vim.cmd.redrawstatus({ bang = true })
    end, client.unheeded)
  end, 50)
end

---Returns how things stand, as text and as a table, for a statusline.
---@return string text empty where no server is
---@return table parts `level`, `model`, `pendingHunks`, `turns`, `tasks`, `asked`, `running`
function M.line()
  local server = client.current()
  if not server then
    return "", {}
  end
  local status = of_root[server.root]
  local parts = vim.tbl_extend("force", {
    running = client.is_up(server),
    asked = require("kkcode.cards").count(),
    root = server.root,
  }, status or {})
  if not parts.running then
    return "kkcode: away", parts
  end
  local words = { "kkcode" }
  if status then
    words[1] = "kkcode: " .. status.level
    local count = function(number, one, many)
      if number > 0 then
        words[#words + 1] = ("%d %s"):format(number, number == 1 and one or many)
      end
    end
    count(#require("kkcode.turns").running(), "turn", "turns")
    count(status.tasks.running + status.tasks.waiting, "task", "tasks")
    count(status.pendingHunks, "hunk", "hunks")
  end
  if parts.asked > 0 then
    words[#words + 1] = ("%d asked"):format(parts.asked)
  end
  return table.concat(words, " · "), parts
end

---Shows how things stand.
function M.show()
  client.command(client.current(), protocol.commands.status, {}, function(result)
    local text = ("level %s, model %s, %s; %d turns, %d hunks wait, %s used"):format(
      result.level,
      result.model or "none",
      result.trusted and "trusted" or "not trusted",
      result.turns,
      result.pendingHunks,
      require("kkcode.turn_view").cost(result.usage)
    )
    ui.notify(text)
  end)
end

---Sets the permission level of this editor's turns and tasks, or lets the user choose.
---@param level? string
function M.level(level)
  local server = client.current()
  if not level or level == "" then
    return vim.ui.select(M.levels, { prompt = "Permission level" }, function(choice)
      if choice then
        M.level(choice)
      end
    end)
  end
  client.command(server, protocol.commands.permission_set_level, { level = level }, function(result)
    local stricter = result.level ~= level and " (this workspace is not trusted)" or ""
    ui.notify("level " .. result.level .. stricter)
    M.refresh(server --[[@as kkcode.Server]])
  end)
end

---Selects the model of the turns and tasks to come, or lets the user choose.
---@param model? string
function M.model(model)
  local server = client.current()
  if not model or model == "" then
    return client.command(server, protocol.commands.model_list, {}, function(result)
      if #result.models == 0 then
        local advice = "no model is configured; `:checkhealth kkcode` says what to do"
        return ui.notify(result.selected and "the only model is " .. result.selected or advice)
      end
      local options = {
        prompt = "Model",
        format_item = function(item)
          local mark = item.model == result.selected and "* " or "  "
          return mark .. item.model .. (item.unavailable and " – " .. item.unavailable or "")
        end,
      }
      vim.ui.select(result.models, options, function(choice)
        if choice then
          M.model(choice.model)
        end
      end)
    end)
  end
  client.command(server, protocol.commands.model_select, { model = model }, function(result)
    ui.notify("model " .. result.model)
    M.refresh(server --[[@as kkcode.Server]])
  end)
end

---Tells the server whether the user trusts the folders of the workspace.
---@param is_trusted boolean
function M.trust(is_trusted)
  local server = client.current()
  local running = server and server.client
  if not server or not running or not client.is_up(server) then
    return ui.notify("no server is running here; open a file first", vim.log.levels.WARN)
  end
  for _, folder in ipairs(running.workspace_folders or { { uri = vim.uri_from_fname(server.root) } }) do
    client.notify(server, protocol.notifications.trust_did_change, { uri = folder.uri, trusted = is_trusted })
  end
  local root = vim.fn.fnamemodify(server.root, ":~")
  client.command(server, protocol.commands.status, {}, function(result)
    if result.trusted == is_trusted then
      ui.notify(("%s is %s"):format(root, is_trusted and "trusted" or "not trusted any more"))
    elseif is_trusted then
      ui.notify(root .. " is not trusted: `server.trusted` or the server say otherwise", vim.log.levels.WARN)
    else
      ui.notify(root .. " is still trusted: the server says so", vim.log.levels.WARN)
    end
    M.refresh(server)
  end)
end

---Hands over a provider's key; it is kept in the server's memory only.
---@param provider string
function M.key(provider)
  local key = vim.fn.inputsecret(("Key of %s: "):format(provider))
  if key == "" then
    return
  end
  client.request(client.current(), protocol.requests.secret_set, { provider = provider, key = key }, function(failure)
    if failure then
      return ui.failed(failure)
    end
    ui.notify("the server has the key of " .. provider .. " until it ends")
  end)
end

---Opens the log: Neovim keeps what the server writes to stderr.
function M.log()
  local path = client.log_path()
  vim.cmd.split(vim.fn.fnameescape(path))
  vim.cmd("normal! G")
end

local watched = {
  protocol.notifications.proposal_did_change,
  protocol.notifications.turn_did_finish,
  protocol.notifications.task_did_change,
  "server",
}
for _, name in ipairs(watched) do
  events.on(name, function(heard)
    M.refresh(heard.server)
  end)
end
events.on("TurnStarted", function()
  vim.cmd.redrawstatus({ bang = true })
end)

return M
