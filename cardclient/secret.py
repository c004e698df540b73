"""A PIN, PUK or token that cannot be printed by accident."""

from __future__ import annotations


class Secret:
    """Text that shows itself only to who calls `reveal`; never in repr, format, logs or comparisons."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap the text; an empty text is allowed and means "nothing was entered"."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: call it only where the card or the connection needs it."""
        return self._text

    def __bool__(self) -> bool:
        """Tell whether anything was entered."""
        return bool(self._text)

    def __repr__(self) -> str:
        """Hide the text and its length."""
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        """Hide the text in f-strings too."""
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        """Refuse comparison by value, which would tell whether two secrets are equal."""
        return self is other

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of anything
