--- What `vim.lsp.config.kkcode` says by itself (Neovim 0.11 and newer).

return require("kkcode.client").lsp_config()
