"""Whole activations through a real browser: from the purchase to a .p12 that signs a mail."""
