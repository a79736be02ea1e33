--- What the agent asks.

local FILE = { ["a.txt"] = "one\n" }

---A server that asks for two permissions when a turn starts, and keeps what it was answered.
local ASKING = [[
  local function prompt(id, title)
    return {
      seq = 1, promptId = id, title = title, detail = "cargo test --workspace", tool = "bash",
      diff = "@@ -1 +1 @@\n-one\n+ONE",
      origin = { sessionId = "s1", turnId = "t1" },
      options = {
        { answer = "allow_once", title = "once" },
        { answer = "allow_always", title = "always `cargo test`" },
        { answer = "deny", title = "no" },
      },
    }
  end
  return {
    ["kkcode.turn.start"] = function(_, tell)
      tell("kkcode/permission/didAsk", prompt("p1", "run the tests"))
      tell("kkcode/permission/didAsk", prompt("p2", "run them again"))
      return { turnId = "t1", sessionId = "s1" }
    end,
    ["kkcode.permission.answer"] = function(argument, tell)
      tell("kkcode/turn/didUpdate", { turnId = "t1", offset = 0, update = { kind = "thinking",
        text = argument.promptId .. " " .. argument.answer .. " " .. (argument.feedback or "") } })
      return { accepted = true }
    end,
    ["kkcode.turn.cancel"] = function(_, tell)
      tell("kkcode/permission/didResolve", { seq = 2, promptId = "p1", answer = "deny", by = "cli" })
      return { cancelled = true }
    end,
    ["kkcode.permission.list"] = function()
      return { level = "manual", prompts = {}, rules = { { ruleId = "r1", action = "allow", tool = "bash",
        commandPrefix = "cargo test", createdAt = "2026-01-01T00:00:00Z" } } }
    end,
    ["kkcode.permission.forget"] = function()
      return { forgotten = true }
    end,
  }
]]

local QUESTIONS = [[
  return {
    ["kkcode.turn.start"] = function(_, tell)
      tell("kkcode/question/didAsk", {
        seq = 1, questionId = "q", title = "two things", origin = { sessionId = "s1" },
        questions = {
          { id = "color", text = "Which color?", options = {
            { value = "r", label = "red" }, { value = "b", label = "blue" } } },
          { id = "name", text = "Which name?" },
        },
      })
      return { turnId = "t1", sessionId = "s1" }
    end,
    ["kkcode.question.answer"] = function(argument, tell)
      tell("kkcode/turn/didUpdate", { turnId = "t1", offset = 0, update = { kind = "text",
        text = argument.answers.color .. "=" .. argument.answers.name } })
      return { accepted = true }
    end,
  }
]]

---@param child kkcode.test.Child
local function ask(child)
  child:edit("a.txt")
  child:keys(":Kkcode agent test it<CR>")
  child:shows("run the tests")
  child:shows("(1 of 2)")
  child:shows("cargo test --workspace")
  child:shows("+ONE")
end

return {
  a_card_never_takes_the_focus = {
    files = FILE,
    peer = ASKING,
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode agent test it<CR>iyn")
      child:shows("run the tests")
      harness.same("mode", child:lua("return vim.api.nvim_get_mode().mode"), "i")
      child:has_lines({ "ynone" })
      child:keys("y")
      child:has_lines({ "ynyone" })
      harness.same("cards", child:lua("return require('kkcode.cards').count()"), 2)
    end,
  },

  one_key_answers_and_the_next_one_comes = {
    files = FILE,
    peer = ASKING,
    run = function(child, harness)
      ask(child)
      child:keys(":Kkcode permissions<CR>")
      child:until_lua("the card", "vim.api.nvim_buf_get_name(0) == 'kkcode://card'")
      child:keys("y")
      child:shows("run them again")
      child:keys("a")
      child:until_lua("no card", "require('kkcode.cards').count() == 0")
      child:until_lua("the file", "vim.fn.expand('%:t') == 'a.txt'")
      harness.same(
        "thinking",
        child:lua("return require('kkcode.turns').get('t1').items[1].text"),
        "p1 allow_once p2 allow_always "
      )
    end,
  },

  it_is_answered_from_anywhere_with_a_reason = {
    files = FILE,
    peer = ASKING,
    run = function(child)
      ask(child)
      child:keys(":Kkcode deny not now<CR>")
      child:shows("run them again")
      child:until_lua("the answer", "require('kkcode.turns').get('t1').items[1].text == 'p1 deny not now'")
    end,
  },

  what_was_answered_elsewhere_is_withdrawn = {
    files = FILE,
    peer = ASKING,
    run = function(child, harness)
      ask(child)
      child:keys(":Kkcode cancel<CR>")
      child:shows("run them again")
      harness.same("cards", child:lua("return require('kkcode.cards').count()"), 1)
    end,
  },

  a_learned_rule_is_forgotten = {
    files = FILE,
    peer = ASKING,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode permissions rules<CR>")
      child:asks()
      child:keys("1<CR>")
      child:has_notice("forgotten: allow bash `cargo test` (everywhere)")
    end,
  },

  questions_are_answered_one_after_the_other = {
    files = FILE,
    peer = QUESTIONS,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode agent paint it<CR>")
      child:shows("Which color?")
      child:keys(":Kkcode permissions<CR>")
      child:until_lua("the card", "vim.api.nvim_buf_get_name(0) == 'kkcode://card'")
      child:keys("2")
      child:shows("Which name?")
      child:keys("i")
      child:eventually("the question for a text", function()
        return child:lua("return vim.api.nvim_get_mode().mode") == "c"
      end)
      child:keys("Mia<CR>")
      child:until_lua("no card", "require('kkcode.cards').count() == 0")
      child:until_lua("the answers", "require('kkcode.turns').get('t1').reply == 'b=Mia'")
    end,
  },
}
