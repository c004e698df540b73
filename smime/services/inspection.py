"""Strangers' files are opened in a child process with little memory, time and no secrets; here it is started."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings

from smime.file_contents import Content

log = structlog.get_logger(__name__)

SECONDS = 25
_PROGRAM = "smime.inspector"
_ROOT = Path(__file__).resolve().parent.parent.parent


class Unreadable(Exception):
    """The child could not read the file within its bounds, or the file has brought it down."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found inside: pages, pixels, and by kind what starts something or carries another file."""

    pages: int
    pixels: int
    is_encrypted: bool
    active: tuple[str, ...]


def inspect(kind: Content, content: bytes) -> Inspection:
    """Read a document's structure; raises `Unreadable`. `kind` is of the document itself, not of signatures around."""
    facts = json.loads(_run("inspect", kind, content, settings.SMIME.upload_most_pixels))
    return Inspection(facts["pages"], facts["pixels"], facts["encrypted"], tuple(facts["active"]))


def draw(kind: Content, content: bytes, page: int) -> bytes:
    """One page (from 0) as a PNG that was painted anew; raises `Unreadable`."""
    return _run("draw", kind, content, page)


def _run(order: str, kind: Content, content: bytes, number: int) -> bytes:
    command = [sys.executable, "-m", _PROGRAM, order, kind.value, str(number)]
    # Its own small environment: keys and addresses of ours lie in this one.
    environment = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=SECONDS, check=False, env=environment, cwd="/"
        )
    except subprocess.TimeoutExpired as slow:
        raise Unreadable from slow
    if done.returncode != 0:
        log.info("file.unreadable", order=order, media_type=kind.value, ended=done.returncode)
        raise Unreadable
    return done.stdout
