"""`python -m tests.holder.stylesheet`: take from Bootstrap Italia's style sheet the part that the holder's pages use.

The whole sheet weighs 612 kB, and a phone would read all of it before it shows the first word; the part weighs some
forty. Written into the repository, so that nothing is built at installation; a test compares it with the library's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import bootstrap_italia_template

ROOT = Path(__file__).resolve().parents[2]
WHOLE = Path(bootstrap_italia_template.__file__).parent / "static/css/bootstrap-italia.min.css"
PART = ROOT / "renewals/static/titolare/bootstrap-italia.css"
LICENCE = re.compile(r"/\*!.*?\*/", re.DOTALL)

# Pieces of the design system that the pages are made of.
CLASSES = frozenset(
    [
        "container",
        "row",
        "col-12",
        "col-md-6",
        "col-md-4",
        "col-lg-4",
        "col-lg-6",
        "col-lg-8",
        "col-lg-10",
        "it-header-wrapper",
        "it-header-slim-wrapper",
        "it-header-slim-wrapper-content",
        "it-header-center-wrapper",
        "it-header-center-content-wrapper",
        "it-brand-wrapper",
        "it-brand-text",
        "it-brand-title",
        "it-brand-tagline",
        "it-footer",
        "it-footer-main",
        "it-footer-small-prints",
        "skiplinks",
        "visually-hidden",
        "visually-hidden-focusable",
        "btn",
        "btn-primary",
        "btn-outline-primary",
        "btn-danger",
        "btn-outline-danger",
        "btn-lg",
        "btn-sm",
        "alert",
        "alert-danger",
        "alert-warning",
        "alert-success",
        "alert-info",
        "alert-heading",
        "callout",
        "badge",
        "card",
        "card-body",
        "card-title",
        "card-text",
        "form-group",
        "form-control",
        "form-label",
        "form-text",
        "form-check",
        "form-check-input",
        "form-check-label",
        "form-check-group",
        "is-invalid",
        "is-valid",
        "invalid-feedback",
        "steppers",
        "steppers-header",
        "steppers-content",
        "steppers-index",
        "active",
        "confirmed",
        "lead",
        "table",
        "list-unstyled",
    ]
)
# Elements that the pages use without a class of the library.
ELEMENTS = frozenset(
    [
        "html",
        "body",
        "main",
        "header",
        "footer",
        "nav",
        "section",
        "article",
        "aside",
        "div",
        "span",
        "a",
        "p",
        "h1",
        "h2",
        "h3",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "strong",
        "em",
        "b",
        "small",
        "abbr",
        "form",
        "fieldset",
        "legend",
        "label",
        "input",
        "select",
        "textarea",
        "button",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "caption",
        "svg",
        "time",
        "details",
        "summary",
        "hr",
    ]
)
# States that only scripts put on, and looks that the pages have not.
UNWANTED = re.compile(
    r"\[data-(?!\w*required)|\.(?:show|fade|collaps\w*|theme-light|t-\w+|dark|dropdown\w*|focus--mouse)\b|:lang"
)
CLASS = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
ELEMENT = re.compile(r"(?:^|[\s>+~(,])([a-z][a-z0-9]*)")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")


def part() -> str:
    """The part as it stands in the repository: the licence, then the rules in the library's order, one a line."""
    text = WHOLE.read_text(encoding="utf-8-sig")
    licence = LICENCE.match(text)
    assert licence is not None
    kept = list(_kept(_blocks(LICENCE.sub("", text))))
    return "\n".join([licence[0], *_with_needed_variables(kept), ""])


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Rules of one level: what stands before the brace, and what stands within."""
    start = 0
    while (brace := text.find("{", start)) >= 0:
        depth, end = 1, brace + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield text[start:brace].rpartition(";")[2].strip(), text[brace + 1 : end - 1]
        start = end


def _kept(blocks: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for head, body in blocks:
        if head.startswith("@media") and "print" not in head:
            inner = "".join(f"{rule}{{{told}}}" for rule, told in _kept(_blocks(body)))
            if inner:
                yield head, inner
        elif not head.startswith("@") and (wanted := [one for one in _selectors(head) if _is_wanted(one)]):
            yield ",".join(wanted), body


def _selectors(head: str) -> list[str]:
    """Split at commas that stand outside brackets."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", head)]


def _is_wanted(selector: str) -> bool:
    if UNWANTED.search(selector):
        return False
    plain = re.sub(r"\[[^\]]*\]|::?[\w-]+", "", selector)
    elements = set(ELEMENT.findall(CLASS.sub("", plain)))
    return set(CLASS.findall(selector)) <= CLASSES and elements <= ELEMENTS


def _with_needed_variables(kept: list[tuple[str, str]]) -> list[str]:
    """Leave out custom properties of the root that no kept rule asks for."""
    asked = {name for head, body in kept if head != ":root" for name in VARIABLE.findall(body)}
    told = dict(pair for head, body in kept if head == ":root" for pair in _properties(body))
    while more := {name for one in asked & told.keys() for name in VARIABLE.findall(told[one])} - asked:
        asked |= more
    lines = []
    for head, body in kept:
        wanted = body
        if head == ":root":
            wanted = ";".join(f"{name}:{value}" for name, value in _properties(body) if name in asked)
        if wanted:
            lines.append(f"{head}{{{wanted}}}")
    return lines


def _properties(body: str) -> list[tuple[str, str]]:
    parts = [one.partition(":") for one in re.split(r";(?![^(]*\))", body) if one.strip()]
    return [(name.strip(), value.strip()) for name, _colon, value in parts]


if __name__ == "__main__":
    PART.write_text(part())
