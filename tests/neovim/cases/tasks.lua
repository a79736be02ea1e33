--- Tasks and sessions, as lists.

local FILE = { ["a.txt"] = "one\n" }

---A server with a task that can be cancelled and started again, and two sessions.
local WORKING = [[
  local function task(status, activity)
    return { taskId = "k1", description = "tidy the tests", status = status, attempt = 1, activity = activity,
      createdAt = "2026-01-01T00:00:00Z", endedAt = status == "cancelled" and "2026-01-01T00:01:00Z" or nil }
  end
  local function session(id, title)
    return { sessionId = id, title = title, workspaceUri = "file:///", turnCount = 1,
      createdAt = "2026-01-01T00:00:00Z", updatedAt = "2026-01-02T03:04:05Z" }
  end
  return {
    ["kkcode.task.start"] = function(argument, tell, state)
      state.task = task("running", "reading " .. argument.prompt)
      tell("kkcode/task/didChange", { seq = 1, task = state.task })
      return { taskId = "k1" }
    end,
    ["kkcode.task.list"] = function(_, _, state)
      return { tasks = { state.task } }
    end,
    ["kkcode.task.logs"] = function(argument)
      if argument.sinceSeq > 0 then return { events = {}, nextSeq = argument.sinceSeq } end
      return { nextSeq = 7, events = {
        { seq = 6, at = "2026-01-01T00:00:01Z", taskId = "k1", kind = "toolCalled", turnId = "t", callId = "c",
          tool = "read", title = "a.txt" },
        { seq = 7, at = "2026-01-01T00:00:02Z", taskId = "k1", kind = "note", text = "tried again" } } }
    end,
    ["kkcode.task.cancel"] = function(_, tell, state)
      state.task = task("cancelled")
      tell("kkcode/task/didChange", { seq = 2, task = state.task })
      return state.task
    end,
    ["kkcode.session.list"] = function()
      return { sessions = { session("s2", "newer"), session("s1", "older") } }
    end,
    ["kkcode.session.show"] = function(argument)
      return vim.tbl_extend("force", session(argument.sessionId, "older"), {
        usage = { inputTokens = 1, outputTokens = 2 },
        turns = { { turnId = "t1", prompt = "why?", mode = "ask", status = "completed", reply = "Because.",
          proposalIds = {}, usage = { inputTokens = 1, outputTokens = 2 } } } })
    end,
    ["kkcode.session.rename"] = function(argument)
      return session(argument.sessionId, argument.title)
    end,
  }
]]

return {
  the_list_follows_tasks = {
    files = FILE,
    peer = WORKING,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode task start everything<CR>")
      child:has_notice("the task is started")
      child:keys(":Kkcode tasks<CR>")
      child:until_lua("the list", "vim.api.nvim_buf_get_name(0) == 'kkcode://tasks'")
      child:shows("▶ running     tidy the tests  – reading everything")
      child:keys("c")
      child:shows("– cancelled   tidy the tests")
      child:has_notice("task cancelled: tidy the tests")
    end,
  },

  a_log_is_opened_from_the_list = {
    files = FILE,
    peer = WORKING,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode task start everything<CR>")
      child:has_notice("the task is started")
      child:keys(":Kkcode tasks<CR>")
      child:until_lua("the list", "vim.api.nvim_buf_get_name(0) == 'kkcode://tasks'")
      child:shows("tidy the tests")
      child:keys("<CR>")
      child:until_lua("the log", "vim.api.nvim_buf_get_name(0) == 'kkcode://task/k1'")
      child:has_lines({ "00:00:01  read: a.txt", "00:00:02  tried again" })
    end,
  },

  a_session_is_chosen_and_opened = {
    files = FILE,
    peer = WORKING,
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode sessions<CR>")
      child:asks()
      child:keys("2<CR>")
      child:until_lua("the view", "vim.b.kkcode_session == 's1'")
      child:shows("Because.")
      child:keys(":Kkcode session rename The reason<CR>")
      child:has_notice("the session is called The reason")
      harness.same("first line", child:lines()[1], "❯ why?")
    end,
  },
}
