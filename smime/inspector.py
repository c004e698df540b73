"""A program that opens one stranger's file in a process of its own, where a bomb or a crash hurts nobody.

The bytes come on standard input, the answer leaves on standard output. It has little memory, little time, no secrets in
its environment and writes no file. Knows neither Django nor the database: `smime.services.inspection` starts it.

    python -m smime.inspector inspect application/pdf
    python -m smime.inspector draw image/png 0
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
from PIL import Image, ImageOps
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

Image.MAX_IMAGE_PIXELS = None  # the caller's own limit is asked before a picture is decoded

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 15
MOST_OBJECTS = 50_000
MOST_DEPTH = 60
MOST_PAINTED = 30
PICTURE_EDGE = 1600
POINTS_EDGE_LEAST = 1.0
_THUMB_EDGE = 64

# Keys and names of ISO 32000-2 §12.6 and §7.11 that start something or carry another file.
_ACTIVE_KEYS = {
    "/JS": "javascript",
    "/JavaScript": "javascript",
    "/EF": "embedded-file",
    "/EmbeddedFiles": "embedded-file",
    "/XFA": "active-form",
    "/RichMediaContent": "media",
}
_ACTIVE_NAMES = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/ImportData": "launch",
    "/SubmitForm": "launch",
    "/GoToE": "embedded-file",
    "/EmbeddedFile": "embedded-file",
    "/RichMedia": "media",
    "/Rendition": "media",
    "/Movie": "media",
}
# Also where no table of contents leads: readers that repair a file find what lies there.
_ANYWHERE = re.compile(rb"/(JavaScript|Launch|EmbeddedFile)\b")
_FOUND_ANYWHERE = {b"JavaScript": "javascript", b"Launch": "launch", b"EmbeddedFile": "embedded-file"}


def main(arguments: list[str]) -> int:
    """Run one order; 0 with the answer, 1 where the file cannot be read (nothing of it is printed)."""
    _bound()
    order, kind, *rest = arguments
    content = sys.stdin.buffer.read()
    try:
        told = answer(order, kind, content, int(rest[0]))
    except Exception as unreadable:  # noqa: BLE001 - readers of strangers' bytes raise anything; its name is enough
        sys.stderr.write(type(unreadable).__name__)
        return 1
    sys.stdout.buffer.write(told)
    return 0


def answer(order: str, kind: str, content: bytes, number: int) -> bytes:
    """Facts as JSON (`number`: most pixels to decode), or a picture of one page. Raises whatever the readers raise."""
    return _draw(kind, content, number) if order == "draw" else _inspected(kind, content, number)


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _inspected(kind: str, content: bytes, most_pixels: int) -> bytes:
    facts = _facts_of_pdf(content) if kind == "application/pdf" else _facts_of_picture(content, most_pixels)
    return json.dumps(facts).encode()


def _facts_of_picture(content: bytes, most_pixels: int) -> dict[str, Any]:
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
        pixels = picture.width * picture.height
        if pixels <= most_pixels:
            picture.load()
    return {"pages": 1, "pixels": pixels, "encrypted": False, "active": []}


def _facts_of_pdf(content: bytes) -> dict[str, Any]:
    reader = PdfFileReader(io.BytesIO(content), strict=False)
    if reader.encrypted:
        return {"pages": 0, "pixels": 0, "encrypted": True, "active": []}
    active = {_FOUND_ANYWHERE[match[1]] for match in _ANYWHERE.finditer(content)}
    active |= {found for each in _objects(reader) for found in _active_in(each)}
    with pdfium.PdfDocument(content) as document:
        pages = max(len(document), _leaves(reader.root.get("/Pages")))
        if pdfium.raw.FPDFDoc_GetJavaScriptActionCount(document) > 0:
            active.add("javascript")
        if pdfium.raw.FPDFDoc_GetAttachmentCount(document) > 0:
            active.add("embedded-file")
        if pages < 1:
            raise ValueError("no page")
        # What cannot be painted can be shown to no officer: bombs in a page's content go off here.
        for number in range(min(len(document), MOST_PAINTED)):
            document[number].render(scale=_THUMB_EDGE / max(*document[number].get_size(), POINTS_EDGE_LEAST))
    return {"pages": pages, "pixels": 0, "encrypted": False, "active": sorted(active)}


def _objects(reader: PdfFileReader) -> Iterator[Any]:
    """Every object that any revision names, also those that a later one hides."""
    seen = 0
    for revision in range(reader.xrefs.total_revisions):
        resolver = reader.get_historical_resolver(revision)
        yield resolver.trailer_view
        for reference in reader.xrefs.explicit_refs_in_revision(revision):
            seen += 1
            if seen > MOST_OBJECTS:
                raise ValueError("too many objects")
            yield resolver.get_object(generic.Reference(reference.idnum, reference.generation, resolver))


def _active_in(value: Any, depth: int = 0) -> Iterator[str]:
    """What starts something or carries a file, in one object; references are objects of their own."""
    if depth > MOST_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, generic.DictionaryObject):
        for key in value:
            if key in _ACTIVE_KEYS:
                yield _ACTIVE_KEYS[key]
            yield from _active_in(value.raw_get(key), depth + 1)
    elif isinstance(value, generic.ArrayObject):
        for each in range(len(value)):
            yield from _active_in(value.raw_get(each), depth + 1)
    elif isinstance(value, generic.NameObject) and value in _ACTIVE_NAMES:
        yield _ACTIVE_NAMES[value]


def _leaves(root: Any) -> int:
    """Count pages by walking the tree: the number written at its root may lie."""
    count, visited, waiting = 0, 0, [root]
    while waiting:
        node = waiting.pop()
        visited += 1
        if visited > MOST_OBJECTS:
            raise ValueError("too many pages")
        kids = node.get("/Kids") if isinstance(node, dict) else None
        if isinstance(kids, list):
            waiting += list(kids)
        elif isinstance(node, dict):
            count += 1
    return count


def _draw(kind: str, content: bytes, page: int) -> bytes:
    """One page as a picture made anew: nothing of the file's own bytes is in it."""
    picture = _page(content, page) if kind == "application/pdf" else _picture(content)
    picture.thumbnail((PICTURE_EDGE, PICTURE_EDGE))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _page(content: bytes, number: int) -> Image.Image:
    with pdfium.PdfDocument(content) as document:
        page = document[number]
        edge = max(*page.get_size(), POINTS_EDGE_LEAST)
        drawn: Image.Image = page.render(scale=PICTURE_EDGE / edge, may_draw_forms=False).to_pil()
        return drawn.convert("RGB")


def _picture(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as stored:
        stored.draft("RGB", (PICTURE_EDGE, PICTURE_EDGE))
        upright = ImageOps.exif_transpose(stored)
        return Image.new("RGB", upright.size, "white") if upright is None else _on_white(upright)


def _on_white(picture: Image.Image) -> Image.Image:
    clear = picture.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
