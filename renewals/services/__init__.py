"""Use cases of renewals, by noun."""
