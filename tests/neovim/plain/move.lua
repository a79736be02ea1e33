-- A file that is open moves: the buffer goes along, is written to its new place, and comes back.
return function(plain)
  local before = plain.on_disk(plain.file)
  local moved = plain.work .. "/deep/moved.txt"
  plain.hunks_are({ "1: pending hunk: rename the file to deep/moved.txt" })
  plain.keys("gg]d")
  plain.take("Accept hunk")
  plain.states_are({ "accepted and saved" })
  plain.expect("the old file", plain.on_disk(plain.file), nil)
  plain.expect("the new file", plain.on_disk(moved), before)
  plain.expect("the name of the buffer", vim.fs.normalize(vim.api.nvim_buf_get_name(0)), moved)
  plain.expect("whether the buffer is changed", vim.bo.modified, false)
  plain.expect("the text of the buffer", table.concat(plain.lines(), "\n") .. "\n", before)

  -- What is typed there goes there.
  plain.keys("Gonew<Esc>")
  vim.cmd.write()
  plain.expect("the new file after :w", plain.on_disk(moved), before .. "new\n")
  plain.expect("the old file after :w", plain.on_disk(plain.file), nil)
  plain.keys("u")
  vim.cmd.write()
  plain.expect("the new file after u and :w", plain.on_disk(moved), before)

  -- Taken back: by the editor that has it open.
  plain.command("kkcode.review.undo")
  plain.states_are({ "pending" })
  plain.expect("the old file after the decision's undo", plain.on_disk(plain.file), before)
  plain.expect("the new file after the decision's undo", plain.on_disk(moved), nil)
  plain.expect("the buffer that came back", vim.fs.normalize(vim.api.nvim_buf_get_name(0)), plain.file)
  plain.hunks_are({ "1: pending hunk: rename the file to deep/moved.txt" })
end
