"""Commands of S/MIME."""
