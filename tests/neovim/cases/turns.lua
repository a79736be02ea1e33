--- Prompts and the view of a session.

local TALK = [[
  - stream: [{text: "The *first* answer."}, {usage: {inputTokens: 1200, outputTokens: 34}}]
  - stream: [{text: "The second answer."}]
]]

local FILE = { ["a.txt"] = "one\ntwo\nthree\n" }

return {
  an_answer_is_shown_without_taking_the_focus = {
    files = FILE,
    script = TALK,
    run = function(child, harness)
      child:edit("a.txt")
      local window = child:lua("return vim.api.nvim_get_current_win()")
      child:turn("ask what is this?")
      child:shows("The *first* answer.")
      child:shows("what is this?")
      child:shows("1,200 in, 34 out")
      harness.same("window", child:lua("return vim.api.nvim_get_current_win()"), window)
      harness.same("mode", child:lua("return vim.api.nvim_get_mode().mode"), "n")
    end,
  },

  the_session_goes_on_in_its_view = {
    files = FILE,
    script = TALK,
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("ask what is this?")
      child:shows("The *first* answer.")
      child:keys(":Kkcode turn<CR>")
      child:until_lua("the view", "vim.b.kkcode_session ~= nil")
      child:keys("<CR>")
      child:shows("Go on:")
      child:keys("and then?<CR>")
      child:shows("The second answer.")
      child:shows("and then?")
      harness.same(
        "sessions",
        child:lua([[
        local names = {}
        for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
          local name = vim.api.nvim_buf_get_name(buffer)
          if name:find("kkcode://session/", 1, true) then table.insert(names, name) end
        end
        return #names
      ]]),
        1
      )
    end,
  },

  tool_calls_are_folded = {
    files = FILE,
    script = [[
  - stream:
      - text: I look.
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: a.txt, before: three, after: THREE}}
  - stream:
      - text: Both are done.
]],
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("agent shout")
      child:has_hunks(1)
      child:shows("Both are done.")
      child:keys(":Kkcode turn<CR>")
      child:until_lua("the view", "vim.b.kkcode_session ~= nil")
      child:shows("2 steps")
      harness.same(
        "tool lines in the text",
        child:lua([[
        return #vim.tbl_filter(function(line)
          return vim.startswith(line, "▸ edit")
        end, vim.api.nvim_buf_get_lines(0, 0, -1, false))
      ]]),
        2
      )
      child:keys("zR")
      child:eventually("no fold", function()
        return not table.concat(child:screen(), "\n"):find("2 steps", 1, true)
      end)
    end,
  },

  a_failed_turn_says_why = {
    files = FILE,
    script = [[
  - stream: [{error: {class: auth, message: the key is refused}}]
]],
    run = function(child)
      child:edit("a.txt")
      child:turn("ask anything")
      child:has_notice("the key is refused")
    end,
  },

  an_operator_asks_about_its_lines_and_a_dot_repeats_it = {
    files = FILE,
    script = [[
  - stream: [{text: First.}]
  - stream: [{text: Second.}]
]],
    options = { before = [[vim.keymap.set("n", "gk", "<Plug>(kkcode-explain)")]] },
    run = function(child, harness)
      child:edit("a.txt")
      child:lua([[
        _G.prompts = {}
        local turns = require("kkcode.turns")
        local start = turns.start
        turns.start = function(server, params, started)
          table.insert(_G.prompts, { params.prompt, params.range.start.line, params.range["end"].line })
          start(server, params, started)
        end
      ]])
      child:keys("gggkj")
      child:eventually("the first prompt", function()
        return #child:lua("return _G.prompts") == 1
      end)
      child:keys("j.")
      child:eventually("the second prompt", function()
        return #child:lua("return _G.prompts") == 2
      end)
      harness.same("prompts", child:lua("return _G.prompts"), { { "Explain this.", 0, 2 }, { "Explain this.", 1, 2 } })
    end,
  },

  a_prompt_is_asked_for = {
    files = FILE,
    script = TALK,
    run = function(child)
      child:edit("a.txt")
      child:keys(":2,3Kkcode ask<CR>")
      child:shows("Ask (lines 2 to 3):")
      child:keys("what?<CR>")
      child:shows("The *first* answer.")
    end,
  },

  the_user_completes_sub_commands = {
    files = FILE,
    run = function(child, harness)
      local complete = function(line)
        return child:lua("return vim.fn.getcompletion(..., 'cmdline')", line)
      end
      harness.same("sub-commands", complete("Kkcode acc"), { "accept" })
      harness.same("in a range", complete("1,2Kkcode exp"), { "explain" })
      harness.same("words behind", complete("Kkcode accept "), { "file", "all", "merge", "theirs" })
      harness.same("levels", complete("Kkcode level y"), { "yolo" })
      child:keys(":Kkcode nonsense<CR>")
      child:has_notice("there is no `:Kkcode nonsense`")
    end,
  },

  the_statusline_knows_how_things_stand = {
    files = FILE,
    script = [[
  - stream: [{tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}}]
  - stream: [{text: Done.}]
]],
    options = { before = [[vim.o.laststatus, vim.o.statusline = 2, "%{v:lua.require'kkcode'.statusline()}"]] },
    run = function(child, harness)
      child:edit("a.txt")
      child:shows("kkcode: manual")
      child:turn("edit shout")
      child:shows("1 hunk")
      harness.same("parts", child:lua("return select(2, require('kkcode').statusline()).pendingHunks"), 1)
    end,
  },

  the_server_s_sessions_and_models_are_chosen_from = {
    files = FILE,
    script = TALK,
    run = function(child)
      child:edit("a.txt")
      child:turn("ask what is this?")
      child:shows("The *first* answer.")
      child:keys(":Kkcode turn<CR>")
      child:until_lua("the view", "vim.b.kkcode_session ~= nil")
      child:keys(":Kkcode session rename First steps<CR>")
      child:has_notice("the session is called First steps")
      child:keys(":Kkcode sessions<CR>")
      child:asks()
      child:keys("1<CR>")
      child:shows("The *first* answer.")
      child:keys(":Kkcode model<CR>")
      child:asks()
      child:keys("1<CR>")
      child:has_notice("model play/")
    end,
  },
}
