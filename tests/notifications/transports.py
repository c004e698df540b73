"""A transport that writes to nobody, and does what a test wants while it would."""


class Transports:
    """A mail server in memory that does what `does` says once, then accepts."""

    def __init__(self, does=None):
        self.does, self.taken = does, []

    def open(self):
        """Be there."""

    def send(self, *, sender, recipient, content, meanwhile=None):
        does, self.does = self.does, None
        if does:
            does()
        self.taken.append(content)

    def close(self):
        """Be gone."""
