--- Side by side: the virtual documents.

local SCRIPT = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "two\nthree", after: "TWO\nTHREE\nmore"}}
  - stream:
      - text: Done.
]]

local FILE = { ["a.txt"] = "one\ntwo\nthree\nfour\n" }

---@param child kkcode.test.Child
local function open(child)
  child:edit("a.txt")
  child:turn("edit shout")
  child:has_hunks(1)
  child:keys(":Kkcode diff<CR>")
  child:until_lua("the proposed side", [[vim.api.nvim_buf_get_name(0):match("^kkcode%-proposed:") ~= nil]])
  child:has_lines({ "one", "TWO", "THREE", "more", "four" })
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
      child:has_lines({ "one", "two", "three", "four" })
      harness.same("whether the base can be changed", child:lua("return vim.bo.modifiable"), false)
      child:keys(",q")
      child:until_lua("one tab page", "#vim.api.nvim_list_tabpages() == 1")
      child:has_hunks(1)
    end,
  },

  the_hunk_under_the_cursor_is_rejected = {
    files = FILE,
    script = SCRIPT,
    run = function(child)
      open(child)
      child:keys("3G,r")
      child:has_hunks(0)
      child:has_lines({ "one", "two", "three", "four" })
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
      child:has_lines({ "one", "TWO", "THREE", "more", "four" })
    end,
  },
}
