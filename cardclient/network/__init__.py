"""How the client reaches the server: proxies of every kind, trust, and the test that says which leg fails."""
