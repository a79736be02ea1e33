--- A child Neovim with the plugin and a server, driven by keys as a user would, and what a test asks of it.

local M = {}

---How long something may take before a test fails, in milliseconds.
local PATIENCE = 30000

---@class kkcode.test.Child
---@field channel integer
---@field folder string
local Child = {}
Child.__index = Child

local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p")))

---The repository.
M.root = vim.fs.dirname(vim.fs.dirname(here))

---@class kkcode.test.World
---@field server string the program that starts the server
---@field folder string with `home` and `work`

---@param path string
---@param text string
function M.write(path, text)
  vim.fn.mkdir(vim.fs.dirname(path), "p")
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

---@param path string
---@return string
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

---Writes a program that plays a server; see peer.lua.
---@param world kkcode.test.World
---@param script string Lua that returns the answers
---@return string program
function M.peer(world, script)
  M.write(world.folder .. "/peer.lua", script)
  local program = world.folder .. "/peer"
  M.write(
    program,
    ("#!/bin/sh\nexec '%s' --headless --clean -l '%s/tests/neovim/peer.lua' '%s/peer.lua'\n"):format(
      vim.v.progpath,
      M.root,
      world.folder
    )
  )
  assert(vim.uv.fs_chmod(program, tonumber("755", 8)))
  return program
end

---Starts a Neovim in the work folder.
---@param world kkcode.test.World
---@param options? { global?: table, before?: string, columns?: integer, lines?: integer }
---@return kkcode.test.Child
function M.child(world, options)
  options = options or {}
  local global = vim.tbl_deep_extend("force", { server = { cmd = { world.server } } }, options.global or {})
  local init = world.folder .. "/init.lua"
  M.write(
    init,
    ([[
    vim.opt.runtimepath:append(%q)
    vim.g.kkcode = %s
    vim.g.mapleader, vim.g.maplocalleader = " ", ","
    vim.o.columns, vim.o.lines = %d, %d
    vim.o.swapfile, vim.o.shadafile, vim.o.more = false, "NONE", false
    %s
  ]]):format(
      M.root .. "/neovim",
      vim.inspect(global),
      options.columns or 100,
      options.lines or 30,
      options.before or ""
    )
  )
  local channel = vim.fn.jobstart({ vim.v.progpath, "--embed", "--headless", "-u", init, "-i", "NONE" }, {
    rpc = true,
    cwd = world.folder .. "/work",
    env = { XDG_STATE_HOME = world.folder .. "/state", XDG_DATA_HOME = world.folder .. "/data" },
  })
  assert(channel > 0, "the child Neovim does not start")
  local child = setmetatable({ channel = channel, folder = world.folder }, Child)
  child:lua([[
    _G.notices = {}
    vim.notify = function(message) table.insert(_G.notices, message) end
    _G.user_events = {}
    vim.api.nvim_create_autocmd("User", {
      pattern = "Kkcode*",
      callback = function(event) table.insert(_G.user_events, event.match) end,
    })
  ]])
  return child
end

---Returns the child's mode. This is answered even while it waits for a key.
---@return { mode: string, blocking: boolean }
function Child:mode()
  return vim.rpcrequest(self.channel, "nvim_get_mode")
end

---Waits until the child asks the user to choose from a list.
function Child:asks()
  self:eventually("a question", function()
    local mode = self:mode()
    return mode.blocking or mode.mode:find("^[cr]") ~= nil
  end)
end

---Runs Lua in the child and returns what it returns.
---@param code string
---@param ... any
---@return any
function Child:lua(code, ...)
  if self:mode().blocking then
    error("the child waits for a key and cannot be asked", 2)
  end
  return vim.rpcrequest(self.channel, "nvim_exec_lua", code, { ... })
end

---Types keys, as a user does.
---@param keys string
function Child:keys(keys)
  vim.rpcrequest(self.channel, "nvim_input", keys)
end

---Waits for something.
---@param what string
---@param condition fun(): any
---@return any what the condition returned
function Child:eventually(what, condition)
  local result
  local came = vim.wait(PATIENCE, function()
    result = condition()
    return result
  end, 15)
  if not came then
    error(("waited in vain for %s\n%s"):format(what, self:describe()), 2)
  end
  return result
end

---Waits until Lua in the child says yes.
---@param what string
---@param expression string
---@param ... any
function Child:until_lua(what, expression, ...)
  local arguments = { ... }
  self:eventually(what, function()
    return self:lua("return " .. expression, unpack(arguments)) == true
  end)
end

---Returns the lines of the current buffer.
---@return string[]
function Child:lines()
  return vim.rpcrequest(self.channel, "nvim_buf_get_lines", 0, 0, -1, false)
end

---Waits until the current buffer has these lines.
---@param lines string[]
function Child:has_lines(lines)
  self:eventually("the lines " .. vim.inspect(lines), function()
    return vim.deep_equal(self:lines(), lines)
  end)
end

---Returns the messages that the plugin showed.
---@return string[]
function Child:notices()
  return self:lua("return _G.notices")
end

---Waits for a message of the plugin's.
---@param part string
function Child:has_notice(part)
  self:eventually("the message " .. part, function()
    return vim.iter(self:notices()):any(function(notice)
      return notice:find(part, 1, true) ~= nil
    end)
  end)
end

---Returns what is on the screen, without the blanks at the ends of lines.
---@return string[]
function Child:screen()
  return self:lua([[
    vim.cmd("redraw!")
    local rows = {}
    for row = 1, vim.o.lines do
      local cells = {}
      for column = 1, vim.o.columns do
        cells[column] = vim.fn.screenstring(row, column)
      end
      rows[row] = (table.concat(cells):gsub("%s+$", ""))
    end
    return rows
  ]])
end

---Waits until the screen shows a text.
---@param part string
function Child:shows(part)
  self:eventually("the screen to show " .. part, function()
    return table.concat(self:screen(), "\n"):find(part, 1, true) ~= nil
  end)
end

---Says how things are, for a test that failed.
---@return string
function Child:describe()
  local ok, text = pcall(function()
    return table.concat({
      "-- screen",
      table.concat(self:screen(), "\n"),
      "-- notices " .. vim.inspect(self:notices()),
      "-- messages " .. self:lua("return vim.fn.execute('messages')"),
    }, "\n")
  end)
  return ok and text or "the child is gone: " .. text
end

---Starts a turn by the command line, as a user does, and waits until it is over.
---@param command string such as `agent shout`
function Child:turn(command)
  self:keys("<Esc>:Kkcode " .. command .. "<CR>")
  self:until_lua("the end of the turn", "vim.tbl_contains(_G.user_events, 'KkcodeTurnFinished')")
end

---Opens a file by the command line and waits for the server.
---@param name string
function Child:edit(name)
  self:keys("<Esc>:edit " .. vim.fn.fnameescape(name) .. "<CR>")
  self:until_lua(
    "the server",
    [[require("kkcode.client").current() ~= nil
    and require("kkcode.client").is_up(require("kkcode.client").current())
    and #vim.lsp.get_clients({ bufnr = 0, name = "kkcode" }) == 1]]
  )
end

---Waits until so many hunks wait for the user.
---@param count integer
function Child:has_hunks(count)
  self:until_lua(count .. " hunks", "#require('kkcode').hunks() == " .. count)
end

---Returns the marks of a name space of ours in the current buffer, without their numbers.
---@param name string such as `kkcode.hunks`
---@return table[]
function Child:marks(name)
  return self:lua(
    [[
    local marks = vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace(...), 0, -1, { details = true })
    return vim.tbl_map(function(mark) return { row = mark[2], column = mark[3], details = mark[4] } end, marks)
  ]],
    name
  )
end

---Ends the child.
function Child:close()
  pcall(vim.rpcnotify, self.channel, "nvim_command", "qall!")
  if vim.fn.jobwait({ self.channel }, PATIENCE)[1] == -1 then
    vim.fn.jobstop(self.channel)
  end
end

---Fails with both values unless they are the same.
---@param what string
---@param actual any
---@param expected any
function M.same(what, actual, expected)
  if not vim.deep_equal(actual, expected) then
    error(("%s: expected %s, got %s"):format(what, vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

return M
