--- What is seldom: odd windows, odd folders, a side that is closed, a merge.

local SCRIPT = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream:
      - text: Done.
]]

local FILE = { ["a.txt"] = "one\ntwo\nthree\n" }

---A server with one stale hunk that can be merged; the merge comes as an edit.
local MERGING = [[
  local uri = vim.uri_from_fname(vim.uv.cwd() .. "/a.txt")
  local hunk = { hunkId = "h1", kind = "modify", state = "stale", oldText = "two\n", newText = "TWO\n",
    reason = "these lines have changed",
    conflict = { currentText = "two mine\n", mergedText = "TWO mine\n" },
    range = { start = { line = 1, character = 0 }, ["end"] = { line = 2, character = 0 } } }
  local function proposal(state)
    return { proposalId = "p1", state = state.merged and "closed" or "open", title = "shout", revision = 1,
      origin = { sessionId = "s1" }, files = { { uri = uri, kind = "modify", hunks = state.merged and {} or { hunk } } } }
  end
  return {
    ["kkcode.proposal.list"] = function(_, _, state)
      return { proposals = { proposal(state) } }
    end,
    ["kkcode.proposal.show"] = function(_, _, state)
      return proposal(state)
    end,
    ["kkcode.hunk.accept"] = function(argument, tell, state, ask)
      state.merged = argument.resolution == "merge"
      local text = state.merged and hunk.conflict.mergedText or "wrong\n"
      ask("workspace/applyEdit", { edit = { changes = { [uri] = { { range = hunk.range, newText = text } } } } }, function()
        tell("kkcode/proposal/didChange", { seq = 2, proposalId = "p1", state = "closed", files = {} })
      end)
      return {}
    end,
  }
]]

---@param child kkcode.test.Child
local function propose(child)
  child:edit("a.txt")
  child:turn("edit shout")
  child:has_hunks(1)
end

return {
  a_stale_hunk_is_accepted_as_a_merge = {
    files = { ["a.txt"] = "one\ntwo mine\nthree\n" },
    peer = MERGING,
    run = function(child)
      child:edit("a.txt")
      child:has_hunks(1)
      child:shows("`:Kkcode accept merge`")
      child:shows("TWO mine")
      child:keys(":2Kkcode accept<CR>")
      child:has_notice("`:Kkcode accept merge` takes both")
      child:keys(":2Kkcode accept merge<CR>")
      child:has_lines({ "one", "TWO mine", "three" })
      child:has_hunks(0)
      child:keys("u")
      child:has_lines({ "one", "two mine", "three" })
    end,
  },

  a_merge_that_is_not_clean_is_refused = {
    files = FILE,
    script = SCRIPT,
    run = function(child, harness)
      propose(child)
      child:keys("2GAmine<Esc>")
      child:until_lua("a stale hunk", [[require("kkcode").hunks()[1].state == "stale"]])
      child:keys(":2Kkcode accept merge<CR>")
      child:has_notice("theirs")
      harness.same("the text", child:lines(), { "one", "twomine", "three" })
    end,
  },

  kkcode_s_home_makes_no_workspace = {
    files = { ["deep/a.txt"] = "one\n", [".kkcode/config.yaml"] = "{}\n" },
    run = function(child, harness)
      local root = function(home)
        return child:lua(
          [[
          vim.env.KKCODE_HOME = ...
          return require("kkcode.client").root(0)
        ]],
          home
        )
      end
      child:edit("deep/a.txt")
      local work = child:lua("return vim.fs.normalize(vim.fn.getcwd())")
      child:lua("vim.cmd.cd('deep')")
      harness.same("a project", root("/elsewhere"), work)
      harness.same("the user's home", root(work .. "/.kkcode"), work .. "/deep")
    end,
  },

  a_side_that_is_closed_takes_the_other_along = {
    files = FILE,
    script = SCRIPT,
    run = function(child, harness)
      propose(child)
      for _, keys in ipairs({ ":quit<CR>", "<C-w>h:quit<CR>" }) do
        child:keys(":Kkcode diff<CR>")
        child:until_lua("the proposed side", [[vim.api.nvim_buf_get_name(0):match("^kkcode%-proposed:") ~= nil]])
        child:has_lines({ "one", "TWO", "three" })
        child:keys(keys)
        child:until_lua("one tab page", "#vim.api.nvim_list_tabpages() == 1")
        harness.same("file", child:lua("return vim.fn.expand('%:t')"), "a.txt")
        harness.same("diff mode", child:lua("return vim.wo.diff"), false)
      end
      child:has_hunks(1)
    end,
  },

  two_windows_show_the_same_hunks = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      propose(child)
      child:keys(":vsplit<CR>")
      child:eventually("the new line twice", function()
        return select(2, table.concat(child:screen(), "\n"):gsub("TWO", "")) == 2
      end)
      child:keys(":2Kkcode accept<CR>")
      child:has_lines({ "one", "TWO", "three" })
      child:has_hunks(0)
      child:keys("<C-w>wu")
      child:has_lines({ "one", "two", "three" })
    end,
  },

  a_view_keeps_its_window = {
    files = FILE,
    script = SCRIPT,
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("agent shout")
      child:has_hunks(1)
      child:keys(":Kkcode turn<CR>")
      child:until_lua("the view", "vim.b.kkcode_session ~= nil")
      child:keys(":Kkcode next<CR>")
      child:until_lua("the hunk", "vim.fn.expand('%:t') == 'a.txt' and vim.fn.line('.') == 2")
      harness.same("windows", child:lua("return #vim.api.nvim_tabpage_list_wins(0)"), 2)
    end,
  },

  a_dot_repeats_a_prompt_that_was_typed = {
    files = FILE,
    script = "  - stream: [{text: First.}]\n",
    options = { before = [[vim.keymap.set("n", "gk", "<Plug>(kkcode-ask)")]] },
    run = function(child, harness)
      child:edit("a.txt")
      child:keys("gggkj")
      child:shows("Ask (lines 1 to 2):")
      child:keys("why so<CR>")
      child:shows("First.")
      local session = function()
        return child:lua("return require('kkcode.turns').last_session()")
      end
      local first = session()
      child:keys("j.")
      child:eventually("another session", function()
        return session() ~= first
      end)
      child:until_lua("its prompt", "require('kkcode.turns').of_session(...)[1].prompt == 'why so'", session())
      child:eventually("it in the window of the first one", function()
        return vim.list_contains(
          child:lua([[
            return vim.tbl_map(function(window)
              return vim.b[vim.api.nvim_win_get_buf(window)].kkcode_session or ""
            end, vim.api.nvim_tabpage_list_wins(0))
          ]]),
          session()
        )
      end)
      harness.same("windows", child:lua("return #vim.api.nvim_tabpage_list_wins(0)"), 2)
    end,
  },

  a_buffer_that_is_no_file_yet_is_reviewed = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: edit, input: {path: new.txt, before: two, after: TWO}}
  - stream:
      - text: Done.
]],
    run = function(child, harness, world)
      child:edit("new.txt")
      child:keys("ione<CR>two<Esc>")
      child:has_lines({ "one", "two" })
      child:turn("edit shout")
      child:has_hunks(1)
      child:keys(":2Kkcode accept<CR>")
      child:has_lines({ "one", "TWO" })
      harness.same("on the disk", vim.uv.fs_stat(world.folder .. "/work/new.txt"), nil)
    end,
  },

  diagnostics_have_the_encoding_of_the_client = {
    files = { ["a.txt"] = "öö two\n" },
    run = function(child, harness)
      child:edit("a.txt")
      local characters = child:lua([[
        local diagnostic = { lnum = 0, col = 5, end_lnum = 0, end_col = 8, message = "no number" }
        vim.diagnostic.set(vim.api.nvim_create_namespace("test"), 0, { diagnostic })
        return vim.tbl_map(function(encoding)
          local range = require("kkcode.documents").diagnostics(0, 1, 1, encoding)[1].diagnostic.range
          return { range.start.character, range["end"].character }
        end, { "utf-8", "utf-16", "utf-32" })
      ]])
      harness.same("characters", characters, { { 5, 8 }, { 3, 6 }, { 3, 6 } })
    end,
  },
}
