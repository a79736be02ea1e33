-- The list of hunks, the walk, accept, undo, redo and reject, with code actions and diagnostics only.
return function(plain)
  local two, six = "4: pending hunk: two → TWO", "8: pending hunk: six → SIX"
  plain.hunks_are({ two, six })

  plain.keys("gg]d")
  plain.expect("the line of the first hunk", vim.fn.line("."), 4)
  plain.take("Next hunk")
  plain.eventually("the second hunk", function()
    return vim.fn.line(".") == 8
  end)
  plain.take("Previous hunk")
  plain.eventually("the first hunk again", function()
    return vim.fn.line(".") == 4
  end)
  plain.take("Accept hunk")
  plain.hunks_are({ six })
  plain.expect("the accepted line", plain.lines()[4], "TWO")

  plain.keys("u")
  plain.hunks_are({ two, six })
  plain.expect("the line after undo", plain.lines()[4], "two")
  plain.keys("<C-R>")
  plain.hunks_are({ six })
  plain.expect("the line after redo", plain.lines()[4], "TWO")

  plain.keys("gg]d")
  plain.expect("the line of the second hunk", vim.fn.line("."), 8)
  plain.take("Reject hunk")
  plain.hunks_are({})
  plain.expect("what the disk has before it is written", plain.on_disk(plain.file):match("TWO"), nil)
  vim.cmd.write()
  plain.states_are({ "accepted and saved", "rejected" })
  plain.expect("what was written", plain.on_disk(plain.file), table.concat(plain.lines(), "\n") .. "\n")
  plain.expect("the rejected line", plain.lines()[8], "six")
end
