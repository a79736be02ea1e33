--- Hunks in the user's buffer.

local TWO_HUNKS = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "two words", after: "two other words"}}
      - tool: {name: edit, input: {path: a.txt, before: five, after: "FIVE"}}
  - stream:
      - text: Done.
]]

local FILE = { ["a.txt"] = "one\ntwo words\nthree\nfour\nfive\nsix\n" }

---@param child kkcode.test.Child
local function propose(child)
  child:edit("a.txt")
  child:turn("edit shout")
  child:has_hunks(2)
end

---Returns the virtual lines of the current buffer as plain text, by the row they hang on.
---@param child kkcode.test.Child
---@return table<integer, string[]>
local function virtual_lines(child)
  local found = {}
  for _, mark in ipairs(child:marks("kkcode.hunks")) do
    for _, line in ipairs(mark.details.virt_lines or {}) do
      local text = vim.iter(line):fold("", function(all, chunk)
        return all .. chunk[1]
      end)
      found[mark.row] = found[mark.row] or {}
      table.insert(found[mark.row], (text:gsub("%s+$", "")))
    end
  end
  return found
end

return {
  hunks_are_shown_in_the_buffer = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child, harness)
      propose(child)
      child:shows("two other words")
      child:shows("FIVE")
      harness.same("the text", child:lines(), { "one", "two words", "three", "four", "five", "six" })
      harness.same("virtual lines", virtual_lines(child), { [1] = { "two other words" }, [4] = { "FIVE" } })
      local signs, deleted, words = {}, {}, {}
      for _, mark in ipairs(child:marks("kkcode.hunks")) do
        if mark.details.sign_text then
          signs[#signs + 1] = mark.row
        end
        if mark.details.hl_group == "KkcodeDelete" then
          deleted[#deleted + 1] = mark.row
        end
        for _, line in ipairs(mark.details.virt_lines or {}) do
          for _, chunk in ipairs(line) do
            if chunk[2] == "KkcodeAddText" then
              words[#words + 1] = chunk[1]
            end
          end
        end
      end
      harness.same("signs", signs, { 1, 4 })
      harness.same("old lines", deleted, { 1, 4 })
      harness.same("new words", words, { "other " })
    end,
  },

  keys_go_through_hunks_and_decide_them = {
    files = FILE,
    script = TWO_HUNKS,
    options = {
      before = [[
        vim.keymap.set("n", "]h", "<Plug>(kkcode-next)")
        vim.keymap.set("n", "[h", "<Plug>(kkcode-prev)")
        vim.keymap.set("n", "<Leader>y", "<Plug>(kkcode-accept)")
        vim.keymap.set("n", "<Leader>n", "<Plug>(kkcode-reject)")
      ]],
    },
    run = function(child, harness)
      propose(child)
      child:keys("gg]h")
      child:until_lua("the first hunk", "vim.fn.line('.') == 2")
      child:keys("]h")
      child:until_lua("the second hunk", "vim.fn.line('.') == 5")
      child:keys("]h")
      child:until_lua("the first one again", "vim.fn.line('.') == 2")
      child:keys("[h")
      child:until_lua("the last one", "vim.fn.line('.') == 5")
      child:keys("<Space>y")
      child:has_lines({ "one", "two words", "three", "four", "FIVE", "six" })
      child:has_hunks(1)
      child:keys("[h")
      child:until_lua("the one that is left", "vim.fn.line('.') == 2")
      child:keys("<Space>n")
      child:has_hunks(0)
      harness.same("the text", child:lines(), { "one", "two words", "three", "four", "FIVE", "six" })
      child:eventually("nothing drawn", function()
        return #child:marks("kkcode.hunks") == 0
      end)
    end,
  },

  one_undo_takes_one_accept_back = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child)
      propose(child)
      child:keys(":2Kkcode accept<CR>")
      child:has_lines({ "one", "two other words", "three", "four", "five", "six" })
      child:has_hunks(1)
      child:keys(":5Kkcode accept<CR>")
      child:has_lines({ "one", "two other words", "three", "four", "FIVE", "six" })
      child:has_hunks(0)
      child:keys("u")
      child:has_lines({ "one", "two other words", "three", "four", "five", "six" })
      child:has_hunks(1)
      child:keys("u")
      child:has_lines({ "one", "two words", "three", "four", "five", "six" })
      child:has_hunks(2)
      child:shows("FIVE")
    end,
  },

  accepting_all_is_one_undo_step = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child)
      propose(child)
      child:keys(":Kkcode accept all<CR>")
      child:has_lines({ "one", "two other words", "three", "four", "FIVE", "six" })
      child:has_hunks(0)
      child:keys("u")
      child:has_lines({ "one", "two words", "three", "four", "five", "six" })
    end,
  },

  hunks_follow_what_the_user_types = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child, harness)
      propose(child)
      child:shows("FIVE")
      child:keys("ggOzero<Esc>")
      child:has_lines({ "zero", "one", "two words", "three", "four", "five", "six" })
      harness.same("virtual lines", virtual_lines(child), { [2] = { "two other words" }, [5] = { "FIVE" } })
      child:keys(":6Kkcode accept<CR>")
      child:has_lines({ "zero", "one", "two words", "three", "four", "FIVE", "six" })
    end,
  },

  a_hunk_whose_lines_changed_says_what_to_do = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child)
      propose(child)
      child:keys("2GAmine<Esc>")
      child:until_lua(
        "a stale hunk",
        [[vim.iter(require("kkcode").hunks()):any(function(hunk) return hunk.state == "stale" end)]]
      )
      child:keys(":2Kkcode accept<CR>")
      child:has_notice("`:Kkcode accept")
      child:keys("u")
      child:until_lua(
        "no stale hunk",
        [[not vim.iter(require("kkcode").hunks()):any(function(hunk) return hunk.state == "stale" end)]]
      )
    end,
  },

  the_quickfix_list_has_one_entry_for_each_hunk = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child, harness)
      propose(child)
      child:keys(":Kkcode quickfix<CR>")
      child:until_lua("the list", "vim.bo.buftype == 'quickfix'")
      local list = child:lua("return vim.fn.getqflist()")
      harness.same("lines", { list[1].lnum, list[2].lnum }, { 2, 5 })
      harness.same("kind of user data", type(list[1].user_data.hunkId), "string")
      child:keys("<CR>")
      child:until_lua("the first hunk", "vim.fn.line('.') == 2 and vim.fn.expand('%:t') == 'a.txt'")
      child:keys(":Kkcode accept<CR>")
      child:eventually("one entry less", function()
        return #child:lua("return vim.fn.getqflist()") == 1
      end)
    end,
  },

  hunks_can_be_hidden = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child, harness)
      propose(child)
      child:shows("FIVE")
      child:keys(":Kkcode toggle<CR>")
      child:eventually("nothing drawn", function()
        return #child:marks("kkcode.hunks") == 0
      end)
      child:keys(":Kkcode toggle<CR>")
      child:shows("FIVE")
      harness.same("the text", child:lines()[5], "five")
    end,
  },

  lines_put_in_at_the_start_are_seen = {
    files = { ["a.txt"] = "one\n" },
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "one", after: "zero\none"}}
  - stream:
      - text: Done.
]],
    run = function(child)
      child:edit("a.txt")
      child:turn("edit add")
      child:has_hunks(1)
      child:shows("zero")
      child:keys(":1Kkcode accept<CR>")
      child:has_lines({ "zero", "one" })
    end,
  },

  only_what_is_near_the_window_is_drawn = {
    files = {
      ["a.txt"] = (function()
        local lines = {}
        for index = 1, 2000 do
          lines[index] = "line " .. index
        end
        return table.concat(lines, "\n") .. "\n"
      end)(),
    },
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "line 5\n", after: "LINE 5\n"}}
      - tool: {name: edit, input: {path: a.txt, before: "line 1500\n", after: "LINE 1500\n"}}
  - stream:
      - text: Done.
]],
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(2)
      child:shows("LINE 5")
      harness.same("virtual lines", virtual_lines(child), { [4] = { "LINE 5" } })
      child:keys("1500G")
      child:shows("LINE 1500")
    end,
  },

  a_rejected_hunk_comes_back_by_undo = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child)
      propose(child)
      child:keys(":2Kkcode reject not this one<CR>")
      child:has_hunks(1)
      child:keys(":Kkcode undo<CR>")
      child:has_notice("reject of 1 hunk undone")
      child:has_hunks(2)
      child:keys(":Kkcode redo<CR>")
      child:has_notice("reject of 1 hunk made again")
      child:has_hunks(1)
    end,
  },

  some_lines_of_a_hunk_are_accepted = {
    files = { ["a.txt"] = "one\ntwo\nthree\nfour\n" },
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "two\nthree", after: "TWO\nTHREE"}}
  - stream:
      - text: Done.
]],
    run = function(child)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(1)
      child:keys("3GV:Kkcode accept<CR>")
      child:has_lines({ "one", "two", "THREE", "four" })
      child:until_lua("the rest as a hunk of its own", [[require("kkcode").hunks()[1].range["end"].line == 2]])
      child:keys("2G:Kkcode accept<CR>")
      child:has_lines({ "one", "TWO", "THREE", "four" })
    end,
  },

  a_stale_hunk_is_merged = {
    files = { ["a.txt"] = "one\ntwo\nthree\nfour\nfive\nsix\n" },
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: "two\nthree\nfour\nfive", after: "TWO\nthree\nfour\nfive"}}
  - stream:
      - text: Done.
]],
    run = function(child)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(1)
      child:keys("2GAmine<Esc>")
      child:until_lua("a stale hunk", [[require("kkcode").hunks()[1].state == "stale"]])
      child:shows(":Kkcode accept theirs")
      child:keys(":2Kkcode accept theirs<CR>")
      child:has_lines({ "one", "TWO", "three", "four", "five", "six" })
    end,
  },

  a_comment_goes_to_the_agent_with_the_next_turn = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: five, after: FIVE}}
  - stream:
      - text: Done.
  - expect: [only one F]
    stream:
      - text: I see.
]],
    run = function(child)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(1)
      child:keys(":5Kkcode comment only one F<CR>")
      child:shows("» only one F")
      child:keys(":Kkcode send<CR>")
      child:eventually("the second turn", function()
        return child:lua([[
          return #vim.tbl_filter(function(name) return name == "KkcodeTurnFinished" end, _G.user_events)
        ]]) == 2
      end)
      child:keys(":Kkcode turn<CR>")
      child:shows("I see.")
    end,
  },

  an_applied_hunk_shows_what_was_there = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child, harness)
      child:edit("a.txt")
      child:lua("require('kkcode').prompt('edit', { prompt = 'shout', level = 'accept-edits' })")
      child:has_lines({ "one", "two other words", "three", "four", "FIVE", "six" })
      child:until_lua(
        "two applied hunks",
        [[#vim.tbl_filter(function(hunk) return hunk.state == "applied" end, require("kkcode").hunks()) == 2]]
      )
      child:shows("two words")
      child:eventually("the virtual lines", function()
        return vim.deep_equal(virtual_lines(child), { [0] = { "two words" }, [3] = { "five" } })
      end)
      child:keys(":2Kkcode reject<CR>")
      child:has_lines({ "one", "two words", "three", "four", "FIVE", "six" })
      child:has_hunks(1)
      child:keys(":5Kkcode accept<CR>")
      child:has_hunks(0)
      harness.same("the text", child:lines(), { "one", "two words", "three", "four", "FIVE", "six" })
    end,
  },

  a_new_file_is_reviewed_before_it_exists = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: write, input: {path: new.txt, content: "hello\nworld\n"}}
  - stream:
      - text: Done.
]],
    run = function(child, harness, world)
      child:edit("a.txt")
      child:turn("agent greet")
      child:has_hunks(1)
      child:keys(":Kkcode next<CR>")
      child:until_lua(
        "the proposed file",
        [[vim.api.nvim_buf_get_name(0):match("^kkcode%-proposed:.*new%.txt$") ~= nil]]
      )
      child:has_lines({ "hello", "world" })
      harness.same("on the disk", vim.uv.fs_stat(world.folder .. "/work/new.txt"), nil)
      child:keys(":Kkcode accept<CR>")
      child:has_hunks(0)
      child:eventually("the file", function()
        return vim.uv.fs_stat(world.folder .. "/work/new.txt")
      end)
      harness.same("on the disk", harness.read(world.folder .. "/work/new.txt"), "hello\nworld\n")
    end,
  },

  a_file_that_is_read_again_has_its_hunks = {
    files = FILE,
    script = TWO_HUNKS,
    run = function(child)
      propose(child)
      child:shows("FIVE")
      child:lua([[
        vim.api.nvim_create_autocmd("BufReadPost", { callback = function() _G.is_read_again = true end })
      ]])
      child:keys(":edit!<CR>")
      child:until_lua("the file, read again", "_G.is_read_again == true")
      child:eventually("the virtual lines", function()
        return vim.deep_equal(virtual_lines(child), { [1] = { "two other words" }, [4] = { "FIVE" } })
      end)
    end,
  },
}
