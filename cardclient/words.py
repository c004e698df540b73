"""The languages of the client: Italian stands in the code, English in `english/*.toml`, one file per subject.

`tr("Italian")` returns the text in the language chosen. A text that is kept for later (a table, a class attribute) is
written `marked("Italian")` and given to `tr` where it is shown. A test proves that each such literal has its English
and that no English is left without its Italian; at run time a text without English is shown in Italian.
"""

from __future__ import annotations

import enum
import functools
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources


class Language(enum.StrEnum):
    """The languages offered, by ISO 639-1 code; the first is the one the texts are written in."""

    ITALIAN = "it"
    ENGLISH = "en"


_chosen = Language.ITALIAN


def set_language(language: str) -> None:
    """Choose for the whole process, from any thread; an unknown code means Italian. Texts already shown stay."""
    global _chosen  # noqa: PLW0603 - one name bound to another enum member: readers see the old or the new one
    _chosen = Language(language) if language in set(Language) else Language.ITALIAN


def chosen() -> Language:
    """Return the language chosen for this process."""
    return _chosen


def marked(text: str) -> str:
    """Return the text as it is; it marks a literal as one that `tr` will be given later."""
    return text


def tr(text: str, /, **facts: object) -> str:
    """Return an Italian text in the chosen language, its `{names}` filled with the facts if any are given."""
    return translated(text, _chosen, **facts)


def translated(text: str, language: Language, /, **facts: object) -> str:
    """Do the same for a language of the caller's choice: a report for the support desk stays Italian."""
    words = catalogue().get(text, text) if language is Language.ENGLISH else text
    return words.format_map(facts) if facts else words


@functools.cache
def catalogue() -> Mapping[str, str]:
    """Read every English text once; a text that stands in two files is an error of ours, found by the test."""
    return {italian: english for _, texts in subjects() for italian, english in texts.items()}


def subjects() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over the files: subject and texts. Package resources, so that it works in a bundle too."""
    folder = resources.files(__package__) / "english"
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.name.endswith(".toml"):
            yield each.name.removesuffix(".toml"), tomllib.loads(each.read_text(encoding="utf-8"))
