"""Use cases of S/MIME, by noun."""
