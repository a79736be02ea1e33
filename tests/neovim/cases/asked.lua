--- What the agent asks and does in the background, with the real server behind the plugin.

local FILE = { ["a.txt"] = "one\ntwo\nthree\n" }

---@param commands string[]
---@return string script of a turn that runs them one after the other
local function shell(commands)
  local steps = vim.tbl_map(function(command)
    return ("  - stream:\n      - tool: {name: bash, input: {command: %s}}\n"):format(vim.json.encode(command))
  end, commands)
  return table.concat(steps) .. "  - stream: [{text: Done.}]\n"
end

---Waits for the card itself; the view of the turn shows a call before it is asked about.
---@param child kkcode.test.Child
---@param part string
local function asks(child, part)
  child:until_lua("a card", "require('kkcode.cards').count() == 1")
  child:shows(part)
end

---@param child kkcode.test.Child
local function focus(child)
  child:keys("<Esc>:Kkcode permissions<CR>")
  child:until_lua("the card", "vim.api.nvim_buf_get_name(0) == 'kkcode://card'")
end

---@param child kkcode.test.Child
local function finished(child)
  child:until_lua("the end of the turn", "vim.tbl_contains(_G.user_events, 'KkcodeTurnFinished')")
  child:until_lua("no card", "require('kkcode.cards').count() == 0")
end

---@param child kkcode.test.Child
---@param status string
local function has_task(child, status)
  child:eventually("a task that is " .. status, function()
    return child:lines()[1]:find(status, 1, true) ~= nil
  end)
end

---@param child kkcode.test.Child
local function open_tasks(child)
  child:keys("<Esc>:Kkcode tasks<CR>")
  child:until_lua("the list", "vim.api.nvim_buf_get_name(0) == 'kkcode://tasks'")
end

local EDITS = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream: [{text: Done.}]
]]

local ASKS = [[
  - stream:
      - tool:
          name: question
          input: {questions: [{id: color, text: Which color?, options: [{label: red}, {label: blue}]}]}
  - expect: [blue]
    stream: [{text: Blue it is.}]
]]

return {
  a_command_waits_for_one_key_and_runs = {
    files = FILE,
    script = shell({ "echo it ran > made.txt" }),
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode agent run it<CR>ix")
      asks(child, "echo it ran > made.txt")
      child:has_lines({ "xone", "two", "three" })
      child:until_lua("the mode of before", "vim.api.nvim_get_mode().mode == 'i'")
      focus(child)
      child:keys("y")
      finished(child)
      child:has_hunks(1)
    end,
  },

  a_denial_and_its_reason_reach_the_model = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: bash, input: {command: "echo it ran > made.txt"}}
  - expect: [not on a monday]
    stream: [{text: Understood.}]
]],
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode agent run it<CR>")
      asks(child, "echo it ran > made.txt")
      focus(child)
      child:keys("f")
      child:eventually("the question for a reason", function()
        return child:mode().mode == "c"
      end)
      child:keys("not on a monday<CR>")
      finished(child)
      child:shows("Understood.")
      harness.same("hunks", child:lua("return #require('kkcode').hunks()"), 0)
    end,
  },

  a_session_s_answer_holds_for_the_same_command = {
    files = FILE,
    script = shell({ "touch one.txt", "touch one.txt" }),
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode agent run it<CR>")
      asks(child, "touch one.txt")
      child:keys(":Kkcode allow session<CR>")
      finished(child)
      local asked = vim.tbl_filter(function(event)
        return event == "KkcodePermissionAsked"
      end, child:lua("return _G.user_events"))
      harness.same("how often it was asked", #asked, 1)
    end,
  },

  an_answer_in_another_neovim_withdraws_the_card = {
    files = FILE,
    script = shell({ "touch made.txt" }),
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode agent run it<CR>")
      asks(child, "touch made.txt")
      local second = harness.child(world)
      second:edit("a.txt")
      asks(second, "touch made.txt")
      focus(second)
      second:keys("y")
      finished(child)
      child:shows("Done.")
      second:until_lua("no card", "require('kkcode.cards').count() == 0")
      second:close()
    end,
  },

  an_answer_reaches_the_model = {
    files = FILE,
    script = ASKS,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode agent paint it<CR>")
      asks(child, "Which color?")
      child:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")
      focus(child)
      child:keys("2")
      finished(child)
      child:shows("Blue it is.")
    end,
  },

  a_task_goes_on_without_neovim_and_is_reviewed_in_the_next = {
    files = FILE,
    script = EDITS,
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode task start shout<CR>")
      child:has_notice("the task is started")
      child:close()
      local second = harness.child(world)
      second:edit("a.txt")
      open_tasks(second)
      has_task(second, "completed")
      second:has_hunks(1)
      second:keys("<CR>")
      second:shows("edit: ")
      second:shows("task completed")
      second:keys("q")
      second:until_lua("the list", "vim.api.nvim_buf_get_name(0) == 'kkcode://tasks'")
      second:keys("p")
      second:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")
      second:keys(":Kkcode accept<CR>")
      second:has_lines({ "one", "TWO", "three" })
      second:close()
    end,
  },

  a_task_s_question_is_asked_in_the_next_neovim = {
    files = FILE,
    script = ASKS,
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode task start paint it<CR>")
      asks(child, "Which color?")
      child:close()
      local second = harness.child(world)
      second:edit("a.txt")
      asks(second, "Which color?")
      focus(second)
      second:keys("2")
      second:until_lua("no card", "require('kkcode.cards').count() == 0")
      open_tasks(second)
      has_task(second, "completed")
      second:close()
    end,
  },

  a_task_works_in_a_worktree = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - expect: [unsaved]
    stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream: [{text: Done.}]
]],
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode task worktree shout<CR>")
      child:has_notice("trust the folder first")
      child:keys(":Kkcode trust<CR>")
      child:has_notice("is trusted")
      child:keys(":Kkcode task worktree shout<CR>")
      child:has_notice("not a git repository")
      local who = "git -c user.name=user -c user.email=user@localhost "
      child:lua("vim.fn.system(...)", "git init -q && git add -A && " .. who .. "commit -qm all")
      child:keys("ggOunsaved<Esc>")
      child:keys(":Kkcode task worktree shout<CR>")
      child:has_hunks(1)
      open_tasks(child)
      has_task(child, "completed")
      harness.same("the file", child:lua("return vim.fn.readblob('a.txt')"), FILE["a.txt"])
    end,
  },

  a_task_is_cancelled_and_started_again = {
    files = FILE,
    script = ASKS:gsub("  %- expect: %[blue%]\n    stream", "  - stream"),
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode task start paint it<CR>")
      asks(child, "Which color?")
      open_tasks(child)
      has_task(child, "waiting")
      child:keys("c")
      has_task(child, "cancelled")
      child:until_lua("no card", "require('kkcode.cards').count() == 0")
      child:keys("r")
      child:eventually("the second attempt", function()
        return child:lines()[1]:find("paint it (attempt 2)", 1, true) ~= nil
      end)
      has_task(child, "completed")
    end,
  },
}
