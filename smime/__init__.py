"""S/MIME: the same house sells and activates S/MIME certificates."""
