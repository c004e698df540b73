"""What a stranger's file is, told by its bytes alone, and a name for it that is safe to show. Nothing is unpacked.

Four kinds are taken: PDF, JPEG, PNG, and signatures around one of them (.p7m: CMS signed data as DER or base64).
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
import unicodedata

from asn1crypto import cms, core

MOST_LAYERS = 3
MOST_NAME = 120
_HEAD = 1024
_TAIL = 66_000  # the end record of a ZIP archive lies within its last 65,557 bytes
_MOST_LEFTOVER = 8
_ZIP_END = b"PK\x05\x06"
_MARKUP = (b"<script", b"<?php", b"<html", b"<!doctype", b"<svg")
_ARMOUR = re.compile(rb"\A\s*-----BEGIN [A-Z0-9 ]+-----(?P<body>.*?)-----END [A-Z0-9 ]+-----\s*\Z", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_UNSAFE = re.compile(r'[<>:"|?*]')


class Content(enum.StrEnum):
    """Kinds of content that are taken; the value is the media type that is stored."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    SIGNED = "application/pkcs7-mime"


EXTENSIONS = {
    Content.PDF: ("pdf",),
    Content.JPEG: ("jpg", "jpeg"),
    Content.PNG: ("png",),
    Content.SIGNED: ("p7m",),
}
_KIND_OF = {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions}
# What browsers send for each; for types that their system does not know they send nothing, or bytes without meaning.
_SENT_AS = {
    Content.PDF: {"application/pdf", "application/x-pdf"},
    Content.JPEG: {"image/jpeg", "image/jpg", "image/pjpeg"},
    Content.PNG: {"image/png", "image/x-png"},
    Content.SIGNED: {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature"},
}
_SENT_AS_NOTHING = {"", "application/octet-stream", "binary/octet-stream"}


class NotTaken(ValueError):
    """The bytes are none of the kinds that are taken."""


class TwoInOne(ValueError):
    """The bytes are of one kind and of another as well: a program may read what no officer sees."""


def told_by(content: bytes) -> Content:
    """Say what the bytes are; raises `NotTaken`, or `TwoInOne` where something else lies before, behind or inside."""
    if content.startswith(b"\x30") and _signed_data(content) is not None:
        return Content.SIGNED  # first, since the document that a short header encloses begins within the first KiB
    if content.startswith(b"\xff\xd8\xff"):
        kind = Content.JPEG
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = Content.PNG
    elif b"%PDF-" in content[:_HEAD]:
        kind = Content.PDF
    elif _signed_data(content) is not None:
        return Content.SIGNED
    else:
        raise NotTaken
    _require_single(kind, content)
    return kind


def unwrapped(content: bytes) -> tuple[Content, bytes]:
    """Look through the signatures around a document, at most three: the document's kind and bytes.

    Of a .p7m that holds no document, or one of another kind, raises `NotTaken`; its signatures are not looked at.
    """
    for _ in range(MOST_LAYERS + 1):
        kind = told_by(content)
        if kind != Content.SIGNED:
            return kind, content
        inner = _signed_data(content)
        if not inner:
            raise NotTaken
        content = inner
    raise NotTaken


def agrees(kind: Content, inner: Content, *, name: str, sent_as: str) -> bool:
    """Whether the name's extensions and what the browser said fit the bytes; `documento.pdf.p7m` names both layers."""
    said = sent_as.split(";", 1)[0].strip().lower()
    if said not in _SENT_AS[kind] | _SENT_AS_NOTHING:
        return False
    stem, _, extension = name.lower().rpartition(".")
    if not stem or _KIND_OF.get(extension) != kind:
        return False
    while kind == Content.SIGNED and extension == "p7m" and "." in stem:
        stem, _, extension = stem.rpartition(".")
    below = _KIND_OF.get(extension)
    return kind != Content.SIGNED or below in {None, inner, Content.SIGNED}


def safe_name(name: str, kind: Content | None = None) -> str:
    """Return the name without folders, unseen and direction-changing characters; its extension survives shortening."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(
        char if unicodedata.category(char) not in _UNSEEN else " " * char.isspace()
        for char in unicodedata.normalize("NFC", last)
    )
    tidy = _UNSAFE.sub("_", " ".join(seen.split())).strip(" .")
    stem, dot, extension = tidy.rpartition(".")
    if not dot or not stem:
        stem, extension = tidy or "documento", EXTENSIONS[kind][0] if kind else ""
    room = MOST_NAME - len(extension) - 1
    return f"{stem[:room].rstrip()}.{extension}" if extension else stem[:MOST_NAME]


def _require_single(kind: Content, content: bytes) -> None:
    if _ZIP_END in content[-_TAIL:]:
        raise TwoInOne
    if kind == Content.PDF:
        before, _, _ = content.partition(b"%PDF-")
        behind = content.rpartition(b"%%EOF")[2]
        foreign = before.removeprefix(b"\xef\xbb\xbf").strip() or len(behind.strip(b"\0 \t\r\n\x1a")) > _MOST_LEFTOVER
    else:
        lowered = content.lower()
        is_whole = kind != Content.PNG or content.endswith(_PNG_END)
        foreign = b"%pdf-" in lowered[:_HEAD] or any(mark in lowered for mark in _MARKUP) or not is_whole
    if foreign:
        raise TwoInOne


def _signed_data(content: bytes) -> bytes | None:
    """What a CMS signature encloses: empty where it is detached, None where the bytes are no such signature."""
    try:
        info = cms.ContentInfo.load(_bare(content), strict=True)
        if info["content_type"].native != "signed_data":
            return None
        inner = info["content"]["encap_content_info"]["content"]
        return b"" if isinstance(inner, core.Void) else bytes(inner)
    except (ValueError, TypeError, KeyError, RecursionError):  # the parser's ways to say that it cannot read this
        return None


def _bare(content: bytes) -> bytes:
    """Undo PEM and bare base64, which Italian signing programs write into .p7m files."""
    if content[:1] == b"\x30":
        return content
    armour = _ARMOUR.match(content)
    body = armour["body"] if armour else content
    if not _BASE64.fullmatch(body):
        return b""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return b""
