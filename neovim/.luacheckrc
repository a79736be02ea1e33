std = "luajit"
max_line_length = 130
self = false
globals = { "vim.b", "vim.bo", "vim.g", "vim.go", "vim.o", "vim.wo", "vim.lsp" }
read_globals = { "vim" }
exclude_files = { "lua/kkcode/protocol.lua" }
