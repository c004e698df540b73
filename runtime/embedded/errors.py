"""Why the embedded services could not start, said so that the person at the terminal knows what to do."""


class EmbeddedError(Exception):
    """A refusal with a text in Italian and one in English; `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, italian: str, english: str) -> None:
        """Keep both texts; `str()` shows them under each other."""
        super().__init__(f"{italian}\n{english}")
        self.italian = italian
        self.english = english


class ProgramMissing(EmbeddedError):
    """No usable server program was found, or the service account cannot run it."""

    exit_code = 3


class FolderRefused(EmbeddedError):
    """The data folder is foreign, damaged, of another version, out of reach or in use; nothing in it was changed."""

    exit_code = 4


class ServiceFailed(EmbeddedError):
    """A service ended before it was ready, or did not become ready in time."""

    exit_code = 5
