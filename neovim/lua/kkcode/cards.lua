--- What the agent asks: one small float that shows the oldest card, takes one key, and never takes the focus.

local ui = require("kkcode.ui")

local M = {}

---@class kkcode.CardKey
---@field key string
---@field title string
---@field press fun()

---@class kkcode.Card
---@field id string
---@field title string
---@field lines fun(): { [1]: string, [2]: string? }[] lines with their highlight groups
---@field keys fun(): kkcode.CardKey[]

---@type kkcode.Card[]
local queue = {}

---@type integer?
local buffer
---@type integer?
local window

local namespace = vim.api.nvim_create_namespace("kkcode.cards")

---@type string[] the keys that are mapped at the moment
local mapped = {}

---@return integer columns
local function most_columns()
  return math.max(20, math.min(88, vim.o.columns - 6))
end

---@param lines string[]
---@return integer width
---@return integer height
local function size_of(lines)
  local most_wide = most_columns()
  local most_high = math.max(3, math.floor(vim.o.lines * 0.5))
  local width, height = 30, 0
  for _, line in ipairs(lines) do
    local cells = vim.fn.strdisplaywidth(line)
    width = math.max(width, math.min(cells, most_wide))
    height = height + math.max(1, math.ceil(cells / most_wide))
  end
  return width, math.max(1, math.min(height, most_high))
end

---@param card kkcode.Card
---@return integer
local function map_keys(card)
  for _, key in ipairs(mapped) do
    pcall(vim.keymap.del, "n", key, { buffer = buffer })
  end
  mapped = {}
  for _, row in ipairs(card.keys()) do
    vim.keymap.set("n", row.key, row.press, { buffer = buffer, desc = row.title, nowait = true })
    mapped[#mapped + 1] = row.key
  end
  return #mapped
end

local function close()
  if window and vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_win_close(window, true)
  end
  window = nil
end

---@param card kkcode.Card
---@return string[][] chunks
local function footer_of(card)
  local footer = {}
  for _, row in ipairs(card.keys()) do
    vim.list_extend(footer, { { " " .. row.key, "KkcodeKey" }, { " " .. row.title .. " ", "FloatBorder" } })
  end
  return footer
end

---@return boolean
local function is_shown_here()
  if not window or not vim.api.nvim_win_is_valid(window) then
    return false
  end
  return vim.api.nvim_win_get_tabpage(window) == vim.api.nvim_get_current_tabpage()
end

---Shows the oldest card as it is now, or nothing when there is none.
function M.draw()
  local card = queue[1]
  if not card then
    return close()
  end
  if not buffer or not vim.api.nvim_buf_is_valid(buffer) then
    buffer = ui.buffer("kkcode://card", "kkcode")
    vim.keymap.set("n", "q", "<Cmd>wincmd p<CR>", { buffer = buffer, desc = "back, without an answer" })
  end
  local footer, footer_width = footer_of(card), 0
  for _, chunk in ipairs(footer) do
    footer_width = footer_width + vim.fn.strdisplaywidth(chunk[1])
  end
  local texts, rows = {}, card.lines()
  local count = #queue > 1 and (" (1 of %d)"):format(#queue) or ""
  local title = (" %s%s "):format(ui.one_line(card.title, 200), count)
  local title_width = vim.fn.strdisplaywidth(title)
  -- A title that is too wide is cut where it says what matters; as a line it is all there.
  if title_width > most_columns() then
    table.insert(rows, 1, { ui.one_line(card.title, 200), "Title" })
    title, title_width = (" the agent asks%s "):format(count), 0
  end
  -- A footer that is too wide loses its first keys; as lines they are all there.
  if footer_width > vim.o.columns - 4 then
    for _, row in ipairs(card.keys()) do
      rows[#rows + 1] = { (" %s %s"):format(row.key, row.title), "KkcodeKey" }
    end
    footer, footer_width = { { " a key answers ", "FloatBorder" } }, 15
  end
  for index, row in ipairs(rows) do
    texts[index] = row[1]
  end
  ui.set_lines(buffer, 0, -1, texts)
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for index, row in ipairs(rows) do
    if row[2] then
      vim.api.nvim_buf_set_extmark(buffer, namespace, index - 1, 0, { line_hl_group = row[2] })
    end
  end
  map_keys(card)
  local width, height = size_of(texts)
  local layout = {
    relative = "editor",
    anchor = "SE",
    row = vim.o.lines - vim.o.cmdheight - 1,
    col = vim.o.columns,
    width = math.min(math.max(width, footer_width, title_width), vim.o.columns - 4),
    height = height,
    style = "minimal",
    border = "rounded",
    title = title,
    footer = footer,
    zindex = 60,
  }
  if window and is_shown_here() then
    vim.api.nvim_win_set_config(window, layout)
  else
    close()
    layout.noautocmd = true
    window = vim.api.nvim_open_win(buffer, false, layout)
    vim.wo[window].wrap = true
  end
end

---Puts a card behind those that wait; one that is there already is drawn anew.
---@param card kkcode.Card
function M.add(card)
  for index, waiting in ipairs(queue) do
    if waiting.id == card.id then
      queue[index] = card
      return M.draw()
    end
  end
  table.insert(queue, card)
  M.draw()
end

---Withdraws a card, whoever answered it.
---@param id string
---@return boolean whether it was there
function M.remove(id)
  for index, card in ipairs(queue) do
    if card.id == id then
      table.remove(queue, index)
      -- What was typed for this card is no answer to the next one.
      if index == 1 and window and vim.api.nvim_get_current_win() == window then
        while vim.fn.getchar(0) ~= 0 do
        end
      end
      M.draw()
      return true
    end
  end
  return false
end

---@return kkcode.Card?
function M.first()
  return queue[1]
end

---Returns how many cards wait.
---@return integer
function M.count()
  return #queue
end

---Goes to the card, where its keys are; back from it if that is where the user is.
function M.focus()
  if not queue[1] then
    return ui.notify("nothing is asked")
  end
  M.draw()
  if window and vim.api.nvim_get_current_win() == window then
    vim.cmd.wincmd("p")
  elseif window then
    ui.go(window)
  end
end

local group = vim.api.nvim_create_augroup("kkcode.cards", {})
vim.api.nvim_create_autocmd({ "VimResized", "TabEnter" }, {
  group = group,
  callback = function()
    if queue[1] then
      M.draw()
    end
  end,
})
-- A card that is closed by hand is not answered; it comes back with the next one, or by `:Kkcode permissions`.
vim.api.nvim_create_autocmd("WinClosed", {
  group = group,
  callback = function(event)
    if tonumber(event.match) == window then
      window = nil
    end
  end,
})

return M
