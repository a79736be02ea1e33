--- Sessions: listed, opened, gone on with, copied, named, deleted.

local client = require("kkcode.client")
local protocol = require("kkcode.protocol")
local turns = require("kkcode.turns")
local ui = require("kkcode.ui")
local view = require("kkcode.turn_view")

local M = {}

---@param session kkcode.SessionSummary
---@return string
local function describe(session)
  local marks = (session.activeTurnId and " · running" or "") .. (session.openProposalId and " · proposal" or "")
  local day, time = session.updatedAt:match("^(%d+%-%d+%-%d+)T(%d+:%d+)")
  local when = day and ("%s %s UTC"):format(day, time) or session.updatedAt
  return ("%s (%d turn%s, %s%s)"):format(
    session.title,
    session.turnCount,
    session.turnCount == 1 and "" or "s",
    when,
    marks
  )
end

---Lets the user choose one of the workspace's sessions.
---@param prompt string
---@param chosen fun(server: kkcode.Server, session: kkcode.SessionSummary)
local function choose(prompt, chosen)
  local server = client.current()
  client.command(server, protocol.commands.session_list, {}, function(result)
    if #result.sessions == 0 then
      return ui.notify("there is no session yet; `:Kkcode ask` begins one")
    end
    vim.ui.select(result.sessions, { prompt = prompt, format_item = describe }, function(session)
      if session then
        chosen(server --[[@as kkcode.Server]], session)
      end
    end)
  end)
end

---Opens a session with all its turns.
---@param server kkcode.Server
---@param id string
function M.open(server, id)
  client.command(server, protocol.commands.session_show, { sessionId = id }, function(session)
    local ids = {}
    for _, turn in ipairs(session.turns) do
      ids[#ids + 1] = turn.turnId
      turns.adopt(server, id, turn)
    end
    turns.order(id, ids)
    view.open(id)
  end)
end

---Calls an action with the session that is before the user's eyes, else with one that the user chooses.
---@param prompt string
---@param act fun(server: kkcode.Server, id: string, title?: string)
local function with_session(prompt, act)
  local id, server = vim.b.kkcode_session, client.current()
  if id and server then
    return act(server, id)
  end
  choose(prompt, function(owner, session)
    act(owner, session.sessionId, session.title)
  end)
end

---What can be done with a session, by name.
---@type table<string, fun(text?: string)>
M.actions = {
  open = function()
    choose("Open a session", function(server, session)
      M.open(server, session.sessionId)
    end)
  end,
  fork = function()
    with_session("Copy a session", function(server, id)
      client.command(server, protocol.commands.session_fork, { sessionId = id }, function(copy)
        M.open(server, copy.sessionId)
      end)
    end)
  end,
  rename = function(text)
    with_session("Name a session", function(server, id, title)
      local rename = function(name)
        if name and vim.trim(name) ~= "" then
          local argument = { sessionId = id, title = name }
          client.command(server, protocol.commands.session_rename, argument, function(session)
            ui.notify("the session is called " .. session.title)
          end)
        end
      end
      if text and text ~= "" then
        return rename(text)
      end
      vim.ui.input({ prompt = "Title: ", default = title }, rename)
    end)
  end,
  delete = function()
    with_session("Delete a session", function(server, id, title)
      local question = ("Delete the session%s with its open proposal?"):format(title and " “" .. title .. "”" or "")
      vim.ui.select({ "Keep it", "Delete it" }, { prompt = question }, function(choice)
        if choice ~= "Delete it" then
          return
        end
        client.command(server, protocol.commands.session_delete, { sessionId = id }, function(result)
          ui.notify(result.deleted and "the session is deleted" or "the session was gone before")
          require("kkcode.proposals").refresh_all(server)
        end)
      end)
    end)
  end,
}

return M
