"""What helps when something goes wrong: the log of the last runs, and the report of the computer, card and network."""
