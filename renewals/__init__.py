"""Renewal cases: how far they are, whether they are authorised, and the clock that moves them."""
