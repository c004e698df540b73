"""Whole stories through the whole product, seen from outside: real cards, real processes, other people's verifiers."""
