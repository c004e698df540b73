"""Command line of the CA."""
