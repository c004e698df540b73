"""The certification authority as the register sees it: a port, value types, keys, challenges, PAdES, linting.

Knows neither Django nor Celery (import contract).
"""
