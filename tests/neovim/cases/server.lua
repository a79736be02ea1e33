--- The server: attached, killed, started again, missing.

local SCRIPT = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream:
      - text: Done.
]]

local FILE = { ["a.txt"] = "one\ntwo\nthree\n", ["b.txt"] = "b\n" }

---@param harness table
---@param world kkcode.test.World
---@return integer? pid nothing at the moment in which it is written
local function pid_of(harness, world)
  return tonumber(harness.read(world.folder .. "/pid"))
end

---Waits for another process than that one.
---@param child kkcode.test.Child
---@param harness table
---@param world kkcode.test.World
---@param before integer
local function another_server(child, harness, world, before)
  child:eventually("another server", function()
    local now = pid_of(harness, world)
    return now and now ~= before
  end)
  child:until_lua("its answer", [[require("kkcode.client").is_up(require("kkcode.client").current())]])
end

return {
  a_killed_server_comes_back_with_its_hunks = {
    files = FILE,
    script = SCRIPT,
    options = { global = { restart = { delay_ms = 10 } } },
    run = function(child, harness, world)
      child:edit("a.txt")
      child:turn("edit shout")
      child:has_hunks(1)
      child:shows("TWO")
      local before = pid_of(harness, world)
      vim.uv.kill(before, "sigkill")
      another_server(child, harness, world, before)
      child:has_hunks(1)
      child:keys(":2Kkcode accept<CR>")
      child:has_lines({ "one", "TWO", "three" })
      child:has_hunks(0)
    end,
  },

  a_server_that_keeps_ending_is_left_alone = {
    files = FILE,
    options = { global = { restart = { delay_ms = 1, attempts = 2 } } },
    run = function(child, harness, world)
      child:edit("a.txt")
      harness.write(world.server, "#!/bin/sh\nexit 7\n")
      vim.uv.kill(pid_of(harness, world), "sigkill")
      child:has_notice("is left alone now")
    end,
  },

  the_user_starts_it_again = {
    files = FILE,
    script = SCRIPT,
    run = function(child, harness, world)
      child:edit("a.txt")
      local before = pid_of(harness, world)
      child:keys(":Kkcode restart<CR>")
      another_server(child, harness, world, before)
      child:turn("edit shout")
      child:has_hunks(1)
    end,
  },

  a_missing_server_is_told_once = {
    files = FILE,
    options = { global = { server = { cmd = { "/nowhere/kkcode-lsp" } } } },
    run = function(child, harness)
      child:keys(":edit a.txt<CR>")
      child:has_notice("the option `server.cmd` names it")
      child:keys(":edit b.txt<CR>")
      child:until_lua("the second file", "vim.fn.expand('%:t') == 'b.txt'")
      child:keys(":Kkcode ask why<CR>")
      child:has_notice("is not running")
      local told = vim.tbl_filter(function(notice)
        return notice:find("there is no program", 1, true) ~= nil
      end, child:notices())
      harness.same("how often", #told, 1)
    end,
  },

  a_server_that_was_built_is_started = {
    files = FILE,
    options = {
      before = [[
        local server = vim.g.kkcode.server.cmd[1]
        local copy = 'mkdir -p "$1/bin" && cp "$2" "$1/bin/kkcode-lsp"'
        vim.g.kkcode = { server = { build = { "sh", "-c", copy, "sh", "{root}", server } } }
        vim.env.PATH = "/usr/bin:/bin"
      ]],
    },
    run = function(child)
      child:keys(":edit a.txt<CR>")
      child:has_notice("`:Kkcode build` makes one")
      child:keys(":Kkcode build<CR>")
      child:has_notice("the server is built")
      child:until_lua("its server", "#vim.lsp.get_clients({ bufnr = 0, name = 'kkcode' }) == 1")
    end,
  },

  what_is_no_file_is_left_alone = {
    files = FILE,
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":help<CR>")
      child:until_lua("the help", "vim.bo.buftype == 'help'")
      harness.same("clients of the help", child:lua("return #vim.lsp.get_clients({ bufnr = 0 })"), 0)
      child:keys(":enew<CR>")
      harness.same("clients of a buffer without name", child:lua("return #vim.lsp.get_clients({ bufnr = 0 })"), 0)
    end,
  },

  everything_can_be_asked_before_the_server_has_it = {
    files = FILE,
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode tasks<CR>")
      child:eventually("an answer, whatever it is", function()
        return #child:notices() > 0 or child:lua("return vim.api.nvim_buf_get_name(0)") == "kkcode://tasks"
      end)
    end,
  },

  the_health_check_says_what_is_there = {
    files = FILE,
    options = { global = { nonsense = true } },
    run = function(child)
      child:edit("a.txt")
      child:keys(":checkhealth kkcode<CR>")
      child:eventually("the report", function()
        local text = table.concat(child:lines(), "\n")
        return text:find("version 1 of the protocol", 1, true)
          and text:find("there is no option `nonsense`", 1, true)
          and text:find("git version", 1, true)
          and text:find("found by the option `server.cmd`", 1, true)
      end)
    end,
  },

  the_lsp_folder_has_a_configuration = {
    files = FILE,
    options = { global = { autostart = false } },
    run = function(child, harness)
      if child:lua("return vim.fn.has('nvim-0.11')") == 0 then
        return harness.same("without vim.lsp.enable", child:lua("return vim.lsp.enable == nil"), true)
      end
      child:lua("vim.lsp.enable('kkcode')")
      child:edit("a.txt")
      harness.same("name", child:lua("return vim.lsp.get_clients({ bufnr = 0 })[1].name"), "kkcode")
    end,
  },

  what_happened_meanwhile_is_caught_up = {
    files = FILE,
    options = { global = { restart = { delay_ms = 1 } } },
    peer = [[
      return {
        ["kkcode.turn.start"] = function(_, tell)
          tell("kkcode/turn/didUpdate", { turnId = "t1", offset = 0, update = { kind = "text", text = "half" } })
          tell("kkcode/proposal/didChange", { seq = 41, proposalId = "p1", state = "open", files = {} })
          return { turnId = "t1", sessionId = "s1" }
        end,
        ["kkcode.turn.cancel"] = function()
          os.exit(9)
        end,
        ["kkcode/events/since"] = function(argument)
          if argument.seq ~= 41 then
            return { events = {}, nextSeq = argument.seq, turns = {} }
          end
          return { nextSeq = 43, turns = {}, events = {
            { seq = 42, at = "2026-01-01T00:00:00Z", kind = "note", text = "passed over" },
            { seq = 43, at = "2026-01-01T00:00:00Z", kind = "turnFinished", turnId = "t1", status = "completed",
              reply = "half and whole", proposalIds = {} } } }
        end,
      }
    ]],
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode ask why<CR>")
      child:shows("half")
      child:keys(":Kkcode cancel<CR>")
      child:shows("half and whole")
      child:shows("completed")
      child:until_lua("the number of the last event", "require('kkcode.client').current().seq == 43")
    end,
  },
}
