"""Tests; what the product promises, one sentence each."""
