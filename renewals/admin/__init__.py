"""Pages of renewals on the panel; `config.panel` registers them."""
