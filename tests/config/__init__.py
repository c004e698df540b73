"""The project package: environment, database roles, headers, logs, cache."""
