--- Which lines of a hunk belong together, and which of their words are others.

local M = {}

-- Neovim 0.12 has the function under a new name.
local diff = vim.text and vim.text.diff or vim.diff

---The most lines of a side that are matched; longer hunks are shown without their words.
local MOST_LINES = 300

---The longest line whose words are compared, in bytes.
local LONGEST = 2000

---Lines with less in common than this part of the longer one are shown as wholly other.
local LEAST_ALIKE = 0.3

---@param old string[]
---@param new string[]
---@param options table
---@return integer[][] hunks {old start, old count, new start, new count}, from 1
local function indices(old, new, options)
  options.result_type = "indices"
  local text = function(items)
    return #items == 0 and "" or table.concat(items, "\n") .. "\n"
  end
  return diff(text(old), text(new), options) --[[@as integer[][] ]]
end

---Walks through two lists in parallel and calls `pair` for what is equal or replaced one by one.
---@param old string[]
---@param new string[]
---@param hunks integer[][]
---@param pair fun(old: integer, new: integer, is_equal: boolean)
local function walk(old, new, hunks, pair)
  local i, j = 1, 1
  local equal_up_to = function(last)
    while i <= last and j <= #new do
      pair(i, j, true)
      i, j = i + 1, j + 1
    end
  end
  for _, hunk in ipairs(hunks) do
    local from_old, count_old, count_new = hunk[1], hunk[2], hunk[4]
    -- A side without lines is counted from the line before it.
    equal_up_to(count_old == 0 and from_old or from_old - 1)
    if count_old == count_new then
      for step = 0, count_old - 1 do
        pair(i + step, j + step, false)
      end
    end
    i, j = i + count_old, j + count_new
  end
  equal_up_to(#old)
end

---Returns for each old line the new line that takes its place, if one does; from 1.
---@param old string[]
---@param new string[]
---@return table<integer, integer>
function M.align(old, new)
  local pairs_of = {}
  if #old > MOST_LINES or #new > MOST_LINES then
    return pairs_of
  end
  walk(old, new, indices(old, new, { algorithm = "histogram", linematch = MOST_LINES }), function(i, j)
    pairs_of[i] = j
  end)
  return pairs_of
end

---@param line string
---@return string[] tokens
local function tokens_of(line)
  local tokens = {}
  local at = 1
  while at <= #line do
    -- Bytes of other scripts stay together: cutting inside a character would show half of it.
    local _, last = line:find("^[%w_\128-\255]+", at)
    last = last or at
    tokens[#tokens + 1] = line:sub(at, last)
    at = last + 1
  end
  return tokens
end

---@param tokens string[]
---@param is_common table<integer, boolean>
---@return integer[][] spans {from, to} in bytes, from 0, `to` not included
local function spans_of(tokens, is_common)
  local spans, at = {}, 0
  for index, token in ipairs(tokens) do
    local last = spans[#spans]
    if not is_common[index] then
      if last and last[2] == at then
        last[2] = at + #token
      else
        spans[#spans + 1] = { at, at + #token }
      end
    end
    at = at + #token
  end
  return spans
end

---Returns what differs in two lines: spans of the old and of the new one, or nothing when they have little in common.
---@param old string
---@param new string
---@return integer[][]? old spans {from, to} in bytes, from 0, `to` not included
---@return integer[][]? new
function M.spans(old, new)
  if #old > LONGEST or #new > LONGEST then
    return nil, nil
  end
  local olds, news = tokens_of(old), tokens_of(new)
  local common_old, common_new, common = {}, {}, 0
  walk(olds, news, indices(olds, news, {}), function(i, j, is_equal)
    if is_equal then
      common_old[i], common_new[j] = true, true
      common = common + #vim.trim(olds[i])
    end
  end)
  local longer = math.max(#vim.trim(old), #vim.trim(new), 1)
  if common / longer < LEAST_ALIKE then
    return nil, nil
  end
  return spans_of(olds, common_old), spans_of(news, common_new)
end

return M
