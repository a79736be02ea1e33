-- A file that is open moves and gets another text: Neovim writes it when it renames.
return function(plain)
  local before = plain.on_disk(plain.file)
  local moved = plain.work .. "/deep/moved.txt"
  plain.states_are({ "superseded", "pending" })
  plain.hunks_are({ "1: pending hunk: rename the file to deep/moved.txt" })
  plain.keys("gg]d")
  plain.take("Accept hunk")
  plain.eventually("the new text", function()
    return plain.lines()[4] == "TWO" and vim.fs.normalize(vim.api.nvim_buf_get_name(0)) == moved
  end)
  plain.expect("the old file", plain.on_disk(plain.file), nil)
  plain.expect("the new file", plain.on_disk(moved), (before:gsub("two", "TWO")))
  plain.states_are({ "superseded", "accepted and saved" })
end
