"""The certification authority as the registration authority sees it: a port, value types, keys, challenges, PAdES and linting.

Knows neither Django nor Celery (import contract).
"""
