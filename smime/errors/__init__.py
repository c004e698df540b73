"""Refusals of S/MIME, each with its code, by noun."""
