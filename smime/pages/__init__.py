"""Pages of customers and of mailed links."""
