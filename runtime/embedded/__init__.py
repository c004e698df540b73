"""The services that `make run` and the tests start by themselves: PostgreSQL, Valkey, a mail sink, and their keeper.

Nothing here knows Django or the product. Everything listens on private unix sockets (the mail sink on the loopback
address, as SMTP clients know no other), runs without root's rights, and stops with whoever started it.
"""
