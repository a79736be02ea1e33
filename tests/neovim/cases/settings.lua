--- Trust, keys, progress and saving: what the server and the editor tell each other about themselves.

local FILE = { ["a.txt"] = "one\ntwo\n" }

---A server that keeps what it is told about trust.
local TRUSTING = [[
  return {
    ["kkcode/trust/didChange"] = function(argument, _, state)
      state.told = argument
    end,
    ["kkcode.status"] = function(_, _, state)
      local told = state.told or { trusted = false, uri = "nobody" }
      return { version = "peer", protocolVersion = 1, level = "manual", model = told.uri, trusted = told.trusted,
        turns = 0, tasks = { pending = 0, running = 0, waiting = 0 }, pendingHunks = 0,
        usage = { inputTokens = 0, outputTokens = 0 } }
    end,
  }
]]

---A server that has a document saved when a turn starts, and says in the turn what came of it.
local SAVING = [[
  return {
    ["kkcode.turn.start"] = function(argument, tell, _, ask)
      ask("kkcode/document/save", { uri = argument.prompt }, function(result, failure)
        local text = failure and failure.message or "saved: " .. tostring(result.saved)
        tell("kkcode/turn/didUpdate", { turnId = "t1", offset = 0, update = { kind = "text", text = text } })
      end)
      return { turnId = "t1", sessionId = "s1" }
    end,
  }
]]

---Asks the peer to have a file saved and waits for what it heard.
---@param child kkcode.test.Child
---@param path string
---@param expected string
local function save(child, path, expected)
  child:keys("<Esc>:Kkcode ask " .. vim.uri_from_fname(path) .. "<CR>")
  child:until_lua("the answer", "require('kkcode.turns').get('t1') ~= nil")
  child:until_lua("the answer " .. expected, "require('kkcode.turns').get('t1').reply == ...", expected)
end

return {
  the_workspace_is_trusted_and_no_longer = {
    files = FILE,
    peer = TRUSTING,
    run = function(child, harness, world)
      child:edit("a.txt")
      child:keys(":Kkcode trust<CR>")
      child:has_notice("work is trusted")
      child:until_lua("what the status says", "select(2, require('kkcode').statusline()).trusted == true")
      local folder = vim.uri_from_fname(vim.uv.fs_realpath(world.folder .. "/work"))
      harness.same("folder", child:lua("return select(2, require('kkcode').statusline()).model"), folder)
      child:keys(":Kkcode trust no<CR>")
      child:has_notice("work is not trusted any more")
      child:until_lua("what the status says", "select(2, require('kkcode').statusline()).trusted == false")
      child:keys(":Kkcode trust perhaps<CR>")
      child:has_notice("`trust` takes yes or no")
    end,
  },

  trust_is_kept_when_the_server_starts_again = {
    files = FILE,
    run = function(child, _, world)
      local trusted = "select(2, require('kkcode').statusline()).trusted == "
      child:edit("a.txt")
      child:until_lua("no trust", trusted .. "false")
      child:keys(":Kkcode trust<CR>")
      child:has_notice("work is trusted")
      child:until_lua("trust", trusted .. "true")
      child:eventually("trust on the disk", function()
        local shown = vim.system({ world.server, "trust", "show", "--cwd", world.folder .. "/work" }, { text = true })
        return shown:wait().stdout:find(": trusted", 1, true)
      end)
      local before = child:lua("return require('kkcode.client').current().client.id")
      child:keys(":Kkcode restart<CR>")
      child:until_lua(
        "another server",
        [[require("kkcode.client").is_up(require("kkcode.client").current())
        and require("kkcode.client").current().client.id ~= ...]],
        before
      )
      child:keys(":Kkcode status<CR>")
      child:has_notice(", trusted;")
    end,
  },

  the_server_has_the_last_word_about_trust = {
    files = FILE,
    peer = [[
      return {
        ["kkcode.status"] = function()
          return { version = "peer", protocolVersion = 1, level = "manual", trusted = false, turns = 0,
            tasks = { pending = 0, running = 0, waiting = 0 }, pendingHunks = 0,
            usage = { inputTokens = 0, outputTokens = 0 } }
        end,
      }
    ]],
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode trust<CR>")
      child:has_notice("work is not trusted: `server.trusted` or the server say otherwise")
      harness.same("notices", #child:notices(), 1)
    end,
  },

  an_option_says_what_is_trusted = {
    files = FILE,
    options = {
      before = [[
        local server = vim.g.kkcode.server
        server.trusted = function(root) return vim.fs.basename(root) == "work" end
        vim.g.kkcode = { server = server }
      ]],
    },
    run = function(child)
      child:edit("a.txt")
      child:keys(":Kkcode status<CR>")
      child:has_notice(", trusted;")
    end,
  },

  a_key_is_typed_unseen_and_used = {
    files = FILE,
    options = {
      global = { server = { config = { provider = { cloud = { type = "anthropic", default_model = "haiku" } } } } },
    },
    run = function(child, harness)
      child:edit("a.txt")
      local unavailable = function()
        child:lua([[
          _G.models = nil
          require("kkcode").execute("kkcode.model.list", {}, function(_, result)
            _G.models = result.models
          end)
        ]])
        return child:eventually("the models", function()
          for _, model in ipairs(child:lua("return _G.models or {}")) do
            if model.provider == "cloud" then
              return { model.unavailable or "available" }
            end
          end
        end)[1]
      end
      assert(unavailable() ~= "available", "the provider has a key already")
      child:keys(":Kkcode key cloud<CR>")
      child:asks()
      child:keys("sesame-open<CR>")
      child:has_notice("the server has the key of cloud until it ends")
      harness.same("what is said of the model", unavailable(), "available")
      local seen = table.concat(child:screen(), "\n")
        .. child:lua("return vim.fn.execute('messages') .. vim.fn.execute('history all')")
      assert(not seen:find("sesame", 1, true), "the key is to be seen: " .. seen)
    end,
  },

  no_key_is_typed = {
    files = FILE,
    run = function(child, harness)
      child:edit("a.txt")
      child:keys(":Kkcode key cloud<CR>")
      child:asks()
      child:keys("<C-c>")
      child:eventually("normal mode", function()
        return child:mode().mode == "n" and not child:mode().blocking
      end)
      harness.same("notices", child:notices(), {})
      harness.same("errors", child:lua("return vim.v.errmsg"), "")
    end,
  },

  progress_is_shown_natively = {
    files = FILE,
    script = [[
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream: [{text: Done.}]
]],
    options = {
      before = [[
        _G.progress = {}
        vim.api.nvim_create_autocmd("LspProgress", {
          callback = function(event)
            local value = event.data.params.value
            table.insert(_G.progress, { value.kind, value.title, value.message or "" })
          end,
        })
      ]],
    },
    run = function(child, harness)
      child:edit("a.txt")
      child:turn("edit shout")
      child:until_lua("the end of the progress", "#_G.progress > 0 and _G.progress[#_G.progress][1] == 'end'")
      local told = child:lua("return _G.progress")
      harness.same("first", told[1], { "begin", "kkcode: shout", "" })
      harness.same("last", told[#told], { "end", "kkcode: shout", "completed" })
      for index = 2, #told - 1 do
        harness.same("kind", told[index][1], "report")
      end
    end,
  },

  a_document_is_saved_when_the_server_asks = {
    files = { ["a.txt"] = "one\ntwo\n", ["b.txt"] = "b\n" },
    peer = SAVING,
    run = function(child, harness, world)
      local path = world.folder .. "/work/a.txt"
      child:edit("a.txt")
      child:keys("ggxOzero<Esc>")
      child:has_lines({ "zero", "ne", "two" })
      child:keys(":edit b.txt<CR>")
      child:until_lua("the other file", "vim.fn.expand('%:t') == 'b.txt'")
      save(child, path, "saved: true")
      harness.same("on the disk", harness.read(path), "zero\nne\ntwo\n")
      harness.same("file before the user", child:lua("return vim.fn.expand('%:t')"), "b.txt")
    end,
  },

  what_cannot_be_saved_is_not_asked_about = {
    files = FILE,
    peer = SAVING,
    run = function(child, harness, world)
      local path = world.folder .. "/work/a.txt"
      child:edit("a.txt")
      child:keys("ggOzero<Esc>")
      child:has_lines({ "zero", "one", "two" })
      harness.write(path, "somebody else wrote this\n")
      save(child, path, "saved: false")
      harness.same("on the disk", harness.read(path), "somebody else wrote this\n")
      harness.same("mode", child:mode(), { mode = "n", blocking = false })
    end,
  },

  what_is_not_open_is_not_saved = {
    files = FILE,
    peer = SAVING,
    run = function(child, _, world)
      child:edit("a.txt")
      save(child, world.folder .. "/work/c.txt", "saved: false")
    end,
  },
}
