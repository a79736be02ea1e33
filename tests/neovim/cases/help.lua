--- The help: its tags, and that nothing is missing in it.

---@param child kkcode.test.Child
---@param harness table
---@param world kkcode.test.World
---@return string
local function help_text(child, harness, world)
  local folder = world.folder .. "/help/doc"
  local text = harness.read(harness.root .. "/neovim/doc/kkcode.txt")
  harness.write(folder .. "/kkcode.txt", text)
  child:lua("vim.cmd.helptags(...)", folder)
  return text
end

---Fails unless the help has each of the words.
---@param what string
---@param text string
---@param words string[]
local function has_all(what, text, words)
  assert(#words > 0, "no " .. what)
  local missing = vim.tbl_filter(function(word)
    return not text:find(word, 1, true)
  end, words)
  assert(#missing == 0, what .. " without help: " .. table.concat(missing, ", "))
end

return {
  tags_are_unique_and_links_lead_somewhere = {
    run = function(child, harness, world)
      local text = help_text(child, harness, world)
      local tags = {}
      for _, line in ipairs(vim.split(harness.read(world.folder .. "/help/doc/tags"), "\n")) do
        tags[line:match("^[^\t]+") or ""] = true
      end
      local lost = {}
      for link in text:gmatch("|([^|%s]+)|") do
        if not tags[link] and #child:lua("return vim.fn.getcompletion(..., 'help')", link) == 0 then
          lost[#lost + 1] = link
        end
      end
      harness.same("links that lead nowhere", lost, {})
    end,
  },

  everything_has_its_help = {
    run = function(child, harness, world)
      local text = help_text(child, harness, world)
      local names = child:lua("return require('kkcode.command').names()")
      has_all(
        "sub-commands",
        text,
        vim.tbl_map(function(name)
          return "*:Kkcode-" .. name .. "*"
        end, names)
      )
      local plugs = child:lua([[
        local described = { ["-line"] = true, ["-file"] = true } -- for all verbs in one sentence
        local names = {}
        for _, map in ipairs(vim.api.nvim_get_keymap("n")) do
          local name = map.lhs:match("^<Plug>%(kkcode%-(.*)%)$")
          if name and not (described[name:sub(-5)] and require("kkcode.prompt").verbs[name:sub(1, -6)]) then
            table.insert(names, map.lhs)
          end
        end
        return names
      ]])
      has_all("maps", text, plugs)
      local groups = child:lua([[
        require("kkcode.ui").highlights()
        return vim.tbl_filter(function(name)
          return vim.startswith(name, "Kkcode")
        end, vim.tbl_keys(vim.api.nvim_get_hl(0, {})))
      ]])
      has_all("highlights", text, groups)
      local functions = child:lua("return vim.tbl_keys(require('kkcode'))")
      has_all(
        "functions",
        text,
        vim.tbl_map(function(name)
          return name == "load" and "kkcode" or "*kkcode." .. name .. "()*"
        end, functions)
      )
    end,
  },

  the_options_in_it_are_the_defaults = {
    run = function(child, harness, world)
      local text = help_text(child, harness, world)
      local written = assert(text:match("vim%.g%.kkcode = ({.-\n    })"), "no options")
      local options = assert(loadstring("return " .. written))()
      local defaults = child:lua([[
        vim.g.kkcode = nil
        return require("kkcode.config").get()
      ]])
      harness.same("options", options, defaults)
    end,
  },
}
