"""Template tags of S/MIME."""
