"""Template tags of the holder's pages."""
