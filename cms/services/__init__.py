"""Use cases of the register, by noun."""
