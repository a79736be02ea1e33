--- Side by side: the virtual documents.

local SCRIPT = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "two words\nthree words", after: "two new words\nthree new words\nmore"}}
  - stream:
      - text: Done.
]]

local FILE = { ["a.txt"] = "one\ntwo words\nthree words\nfour\n" }

---@param child kkcode.test.Child
local function open(child)
  child:edit("a.txt")
  child:turn("edit shout")
  child:has_hunks(1)
  child:keys(":Kkcode diff<CR>")
  child:until_lua("the proposed side", [[vim.api.nvim_buf_get_name(0):match("^kkcode%-proposed:") ~= nil]])
  child:has_lines({ "one", "two new words", "three new words", "more", "four" })
end

return {
  both_sides_are_compared = {
    files = FILE,
    script = SCRIPT,
    run = function(child, harness)
      open(child)
      harness.same("tab pages", child:lua("return #vim.api.nvim_list_tabpages()"), 2)
      harness.same(
        "diff",
        child:lua("return vim.tbl_map(function(w) return vim.wo[w].diff end, vim.api.nvim_tabpage_list_wins(0))"),
        { true, true }
      )
      child:keys("<C-w>h")
      child:has_lines({ "one", "two words", "three words", "four" })
      harness.same("whether the base can be changed", child:lua("return vim.bo.modifiable"), false)
      child:keys(",q")
      child:until_lua("one tab page", "#vim.api.nvim_list_tabpages() == 1")
      child:has_hunks(1)
    end,
  },

  lines_are_accepted_in_visual_mode = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      open(child)
      child:keys("2GV,a")
      child:eventually("the rest as a hunk of its own", function()
        local hunks = child:lua("return require('kkcode').hunks()")
        return #hunks == 1 and hunks[1].range.start.line == 2
      end)
      child:keys(":tabclose<CR>")
      child:has_lines({ "one", "two new words", "three words", "four" })
      child:keys("u")
      child:has_lines({ "one", "two words", "three words", "four" })
    end,
  },

  what_the_user_writes_becomes_the_proposal = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      open(child)
      child:keys("3GccMINE<Esc>:write<CR>")
      child:eventually("the user's line in the hunk", function()
        return child:lua([[
          local placed = require("kkcode.proposals").hunks()[1]
          return placed and placed.hunk.newText
        ]]) == "two new words\nMINE\nmore\n"
      end)
      child:until_lua("a buffer that is written", "vim.bo.modified == false")
      child:keys(":Kkcode accept<CR>")
      child:keys(":tabclose<CR>")
      child:has_lines({ "one", "two new words", "MINE", "more", "four" })
    end,
  },

  the_hunk_under_the_cursor_is_rejected = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      open(child)
      child:keys("3G,r")
      child:has_hunks(0)
      child:has_lines({ "one", "two words", "three words", "four" })
    end,
  },

  a_code_action_opens_it_too = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(1)
      child:keys("2G")
      child:lua([[
        vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title == "Show diff" end })
      ]])
      child:until_lua("the proposed side", [[vim.api.nvim_buf_get_name(0):match("^kkcode%-proposed:") ~= nil]])
      child:has_lines({ "one", "two new words", "three new words", "more", "four" })
    end,
  },
}
