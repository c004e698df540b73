"""Documents of the repository: three are made from the code, all are checked against it."""
