"""Use cases of the CA."""
