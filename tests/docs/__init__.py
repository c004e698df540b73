"""Documents of the repository: two are made from the code, all are checked against it."""
