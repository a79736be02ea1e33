--- Sub-commands as they are typed, with the real server behind the plugin.

local FILE = { ["a.txt"] = "one\ntwo\nthree\nfour\nfive\nsix\n" }

---A script that proposes two hunks.
local EDITS = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: a.txt, before: six, after: SIX}}
  - stream: [{text: Done.}]
]]

---A script that asks, in a turn or in a task.
local ASKS = [[
  - stream:
      - tool:
          name: question
          input: {questions: [{id: color, text: Which color?, options: [{label: red}, {label: blue}]}]}
  - stream: [{text: So be it.}]
]]

---A script that makes folders one after the other.
---@param ... string
---@return string
local function makes(...)
  local steps = vim.tbl_map(function(folder)
    return ("  - stream: [{tool: {name: mkdir, input: {path: %s}}}]\n"):format(folder)
  end, { ... })
  return table.concat(steps) .. "  - stream: [{text: Made.}]\n"
end

---Writes what the model plays in the sessions to come.
---@param harness table
---@param world kkcode.test.World
---@param script string
local function plays(harness, world, script)
  harness.write(world.folder .. "/home/script.yaml", "turns:\n" .. script)
end

---Types a verb, waits for the end of its turn and returns how it ended.
---@param child kkcode.test.Child
---@param command string with its range
---@return { mode: string, status: string, reply: string, prompt: string } as the server has it
local function turn(child, command)
  child:lua("_G.user_events = {}")
  child:keys("<Esc>:" .. command .. "<CR>")
  child:until_lua("the end of the turn", "vim.tbl_contains(_G.user_events, 'KkcodeTurnFinished')")
  child:lua([[
    _G.last = nil
    local session = { sessionId = require("kkcode.turns").last_session() }
    require("kkcode").execute("kkcode.session.show", session, function(_, result)
      local turn = result.turns[#result.turns]
      _G.last = { mode = turn.mode, status = turn.status, reply = turn.reply, prompt = turn.prompt }
    end)
  ]])
  child:until_lua("what the server has", "_G.last ~= nil")
  return child:lua("return _G.last")
end

---@param child kkcode.test.Child
---@param count integer
local function has_cards(child, count)
  child:until_lua(count .. " cards", "require('kkcode.cards').count() == " .. count)
end

---@param child kkcode.test.Child
---@param line integer
local function is_in_line(child, line)
  child:until_lua("line " .. line, "vim.fn.line('.') == " .. line)
end

---Opens the list of tasks and waits until its first line says so.
---@param child kkcode.test.Child
---@param status string
local function first_task_is(child, status)
  child:eventually("a task that is " .. status, function()
    return child
      :lua([[
      local buffer = vim.fn.bufnr("^kkcode://tasks$")
      return buffer > 0 and vim.api.nvim_buf_get_lines(buffer, 0, 1, false)[1] or ""
    ]])
      :find(status, 1, true) ~= nil
  end)
end

---Runs the program as a user does in a terminal.
---@param world kkcode.test.World
---@param ... string
---@return string output
local function cli(world, ...)
  local done = vim.system({ world.server, ... }, { text = true, cwd = world.folder .. "/work" }):wait()
  assert(done.code == 0, done.stderr)
  return done.stdout
end

return {
  each_verb_tells_the_agent_what_it_is_about = {
    files = FILE,
    script = "  - expect: [shout, 'a.txt', two]\n    stream: [{text: Edited.}]\n",
    run = function(child, harness, world)
      child:edit("a.txt")
      local edit = turn(child, "2Kkcode edit shout")
      harness.same("edit", edit, { mode = "agent", status = "completed", reply = "Edited.", prompt = "shout" })

      plays(harness, world, "  - expect: [how to shout]\n    stream: [{text: A plan.}]\n")
      local plan = turn(child, "Kkcode plan how to shout")
      harness.same("plan", plan, { mode = "plan", status = "completed", reply = "A plan.", prompt = "how to shout" })

      plays(harness, world, "  - expect: [Explain this., three]\n    stream: [{text: Three.}]\n")
      local explain = turn(child, "3Kkcode explain")
      harness.same("explain", { explain.mode, explain.status, explain.reply }, { "ask", "completed", "Three." })

      child:lua([[
        local namespace = vim.api.nvim_create_namespace("linter")
        vim.diagnostic.set(namespace, 0, { { lnum = 3, col = 0, end_col = 4, message = "four is too much" } })
      ]])
      plays(harness, world, "  - expect: [four is too much]\n    stream: [{text: Fixed.}]\n")
      local fix = turn(child, "Kkcode fix")
      harness.same("fix", { fix.mode, fix.status, fix.reply }, { "agent", "completed", "Fixed." })
    end,
  },

  hunks_are_walked_both_ways_and_decided_by_the_file = {
    files = FILE,
    script = EDITS,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode trust yes<CR>")
      child:has_notice("is trusted")
      child:turn("agent shout")
      child:has_hunks(2)
      child:keys("gg:Kkcode next<CR>")
      is_in_line(child, 2)
      child:keys(":Kkcode next<CR>")
      is_in_line(child, 6)
      child:keys(":Kkcode prev<CR>")
      is_in_line(child, 2)
      child:keys(":Kkcode next 1<CR>")
      is_in_line(child, 6)

      child:keys(":Kkcode reject file not now<CR>")
      child:has_hunks(0)
      child:keys(":Kkcode undo<CR>")
      child:has_hunks(2)
      child:keys(":Kkcode reject all<CR>")
      child:has_hunks(0)
      child:keys(":Kkcode undo<CR>")
      child:has_hunks(2)
      child:keys(":Kkcode accept file<CR>")
      child:has_lines({ "one", "TWO", "three", "four", "five", "SIX" })
      child:has_hunks(0)
    end,
  },

  the_log_is_opened_and_the_server_stopped = {
    files = FILE,
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode log<CR>")
      child:until_lua("the log", "vim.fn.expand('%:p') == require('kkcode.client').log_path()")
      harness.same("its servers", child:lua("return #vim.lsp.get_clients({ bufnr = 0 })"), 0)
      child:keys(":close<CR>")
      child:keys(":Kkcode stop<CR>")
      child:until_lua("no server", "#vim.lsp.get_clients({ name = 'kkcode' }) == 0")
      child:keys(":Kkcode ask why<CR>")
      child:has_notice("is not running; `:Kkcode restart` starts it")
      harness.same("servers", child:lua("return #vim.lsp.get_clients({ name = 'kkcode' })"), 0)
      child:keys(":Kkcode restart<CR>")
      child:edit("a.txt")
    end,
  },

  a_task_is_followed_by_sub_commands_alone = {
    files = FILE,
    script = ASKS,
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode tasks<CR>")
      child:shows("no tasks;")
      child:keys(":wincmd p<CR>")
      child:keys(":Kkcode task start paint it<CR>")
      first_task_is(child, "waiting")
      has_cards(child, 1)

      child:keys(":Kkcode task cancel<CR>")
      child:asks()
      child:keys("1<CR>")
      first_task_is(child, "cancelled")
      has_cards(child, 0)

      plays(harness, world, EDITS)
      child:keys(":Kkcode task retry<CR>")
      child:asks()
      child:keys("1<CR>")
      first_task_is(child, "completed")
      child:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")

      child:keys(":Kkcode task logs<CR>")
      child:asks()
      child:keys("1<CR>")
      child:until_lua("the log", "vim.startswith(vim.api.nvim_buf_get_name(0), 'kkcode://task/')")
      child:shows("task completed")
      child:keys(":close<CR>")

      child:keys(":Kkcode task clean<CR>")
      child:has_notice("0 tasks removed")
      child:keys(":Kkcode task clean 0<CR>")
      child:has_notice("1 task removed")
      first_task_is(child, "no tasks")
    end,
  },

  a_task_that_was_cancelled_in_a_terminal_withdraws_its_card = {
    files = FILE,
    script = ASKS,
    run = function(child, _, world)
      child:edit("a.txt")
      child:keys(":Kkcode tasks<CR>")
      child:shows("no tasks;")
      child:keys(":wincmd p<CR>")
      child:keys(":Kkcode task start paint it<CR>")
      has_cards(child, 1)
      child:shows("Which color?")
      child:until_lua("the other window", "vim.fn.expand('%:t') == 'a.txt'")
      local task = vim.json.decode(cli(world, "task", "list", "--json")).tasks[1]
      cli(world, "task", "cancel", task.taskId)
      has_cards(child, 0)
      first_task_is(child, "cancelled")
      child:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")
    end,
  },

  a_session_is_copied_named_opened_and_deleted = {
    files = FILE,
    script = "  - stream: [{text: The answer.}]\n  - stream: [{text: And more.}]\n",
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("ask what is this?")
      local of_view = "return vim.b.kkcode_session"
      child:keys(":Kkcode session open<CR>")
      child:asks()
      child:keys("1<CR>")
      child:until_lua("the view", "vim.b.kkcode_session ~= nil")
      local first = child:lua(of_view)

      child:keys(":Kkcode session fork<CR>")
      child:until_lua("the copy", "vim.b.kkcode_session ~= ... and vim.b.kkcode_session ~= nil", first)
      local copy = child:lua(of_view)
      child:shows("The answer.")
      child:keys(":Kkcode session rename The copy<CR>")
      child:has_notice("the session is called The copy")

      child:keys(":Kkcode session delete<CR>")
      child:asks()
      child:keys("1<CR>")
      harness.same("the view", child:lua(of_view), copy)
      child:keys(":Kkcode session delete<CR>")
      child:asks()
      child:keys("2<CR>")
      child:has_notice("the session is deleted")
      child:lua([[
        require("kkcode").execute("kkcode.session.list", {}, function(_, result) _G.sessions = result.sessions end)
      ]])
      child:until_lua("the sessions", "_G.sessions ~= nil")
      harness.same(
        "what is left",
        child:lua("return vim.tbl_map(function(s) return s.sessionId end, _G.sessions)"),
        { first }
      )
    end,
  },

  always_is_learned_listed_and_forgotten = {
    files = FILE,
    script = makes("build"),
    run = function(child, harness, world)
      local learned = world.folder .. "/home/learned-rules.yaml"
      local configured = harness.read(world.folder .. "/home/config.yaml")
      child:edit("a.txt")
      child:keys(":Kkcode agent make it<CR>")
      has_cards(child, 1)
      child:shows("Always allow in this workspace: mkdir `build`")
      child:keys(":Kkcode allow always<CR>")
      child:until_lua("the end", "vim.tbl_contains(_G.user_events, 'KkcodeTurnFinished')")
      local text = harness.read(learned)
      assert(text:find("tool: mkdir", 1, true) and text:find("- build", 1, true), text)
      harness.same("the user's configuration", harness.read(world.folder .. "/home/config.yaml"), configured)

      child:lua("_G.user_events = {}; vim.fn.delete('build', 'd')")
      child:turn("agent make it again")
      harness.same("asked", child:lua("return vim.tbl_contains(_G.user_events, 'KkcodePermissionAsked')"), false)

      child:keys(":Kkcode permissions rules<CR>")
      child:asks()
      child:keys("1<CR>")
      child:has_notice("forgotten: allow mkdir")
      assert(not harness.read(learned):find("build", 1, true), "the rule is still there")
    end,
  },

  several_wait_in_their_order = {
    files = FILE,
    script = makes("first"),
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode agent make it<CR>")
      has_cards(child, 1)
      plays(harness, world, makes("second"))
      child:keys(":Kkcode agent make another<CR>")
      has_cards(child, 2)
      child:shows("(1 of 2)")
      child:keys("ityped ")
      child:has_lines({ "typed one", "two", "three", "four", "five", "six" })
      child:keys("<Esc>:Kkcode allow once<CR>")
      child:until_lua("the folder", "vim.fn.isdirectory('first') == 1")
      child:shows("second")
      child:keys(":Kkcode permissions focus<CR>")
      child:until_lua("the card", "vim.api.nvim_buf_get_name(0) == 'kkcode://card'")
      child:keys("q")
      child:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")
      child:keys(":Kkcode deny<CR>")
      has_cards(child, 0)
      harness.same("the other", child:lua("return vim.fn.isdirectory('second')"), 0)
    end,
  },

  pending_edits_are_let_in_before_a_command = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
      - tool: {name: bash, input: {command: cp a.txt /dev/null}}
  - stream: [{text: Run.}]
]],
    options = { global = { server = { config = { permission = { sandbox = { mode = "off" } } } } } },
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode agent run it<CR>")
      has_cards(child, 1)
      child:shows("will not see the pending edits")
      child:shows(" p Apply the pending edits")
      child:keys(":Kkcode allow first<CR>")
      child:until_lua("the end", "vim.tbl_contains(_G.user_events, 'KkcodeTurnFinished')")
      child:has_lines({ "one", "TWO", "three", "four", "five", "six" })
      harness.same("the file", harness.read(world.folder .. "/work/a.txt"), "one\nTWO\nthree\nfour\nfive\nsix\n")
    end,
  },

  the_health_check_goes_through_everything_and_tells_no_key = {
    files = FILE,
    options = { before = "vim.env.ANTHROPIC_API_KEY = 'canary-5ce1a1'" },
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode key cloud<CR>")
      child:asks()
      child:keys("canary-77b0<CR>")
      child:has_notice("cloud")
      child:keys(":checkhealth kkcode<CR>")
      child:eventually("the report", function()
        return table.concat(child:lines(), "\n"):find("log: ", 1, true)
      end)
      local report = table.concat(child:lines(), "\n")
      local order = {
        "kkcode: Neovim",
        "Neovim ",
        "the options are right",
        "kkcode: server",
        "found by the option `server.cmd`",
        "version 1 of the protocol",
        "permission level manual",
        "the workspace is not trusted",
        "`:Kkcode trust`",
        "kkcode: models",
        "play/",
        "kkcode: this machine",
        "configuration: ",
        "keys: anthropic from ANTHROPIC_API_KEY",
        "git: git version",
        "sandbox: ",
        "log: ",
      }
      local at = 1
      for _, part in ipairs(order) do
        local start = report:find(part, at, true)
        assert(start, ("the report does not say %q where it should:\n%s"):format(part, report))
        at = start
      end
      harness.same("the key", report:find("canary", 1, true), nil)
    end,
  },
}
