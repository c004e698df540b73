"""Doors for other programs: the identification provider's webhook."""
