-- A file that is open goes, with its buffer, and comes back.
return function(plain)
  local before = plain.on_disk(plain.file)
  plain.hunks_are({ "1: pending hunk: delete the file: 9 lines" })
  plain.keys("gg]d")
  -- Another buffer keeps the server when the file's goes.
  vim.cmd("split other.txt")
  vim.cmd.wincmd("p")
  plain.take("Accept hunk")
  plain.eventually("the end of the file", function()
    return plain.on_disk(plain.file) == nil
  end)
  plain.eventually("the end of its buffer", function()
    return vim.fn.bufloaded(plain.file) == 0
  end)
  plain.states_are({ "accepted and saved" })
  plain.command("kkcode.review.undo")
  plain.states_are({ "pending" })
  plain.expect("the file after the decision's undo", plain.on_disk(plain.file), before)
end
