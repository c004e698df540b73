"""Where files may be sent: to the pages named here, by whom they are for, up to a limit. Elsewhere none is kept.

Django bounds the fields of a form and leaves its files unbounded; what this handler passes over is read and forgotten.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from cms.admin.entrance import is_admitted

_KEY_REQUEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Counter:
    """A page that takes files: from whom, how much in one request, and whether they may lie on the disk meanwhile."""

    takes_from: Callable[[HttpRequest], bool]
    most_bytes: Callable[[], int]
    on_disk: bool = False


def _is_customer(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.is_active


def _anybody(request: HttpRequest) -> bool:
    """Whoever has the mailed link in the address; the page asks whether it is good."""
    del request
    return True


def _import_bytes() -> int:
    return settings.CMS.import_most_bytes + settings.CMS.import_most_csv_bytes


def _evidence_bytes() -> int:
    """A little more than a file may have: the page then says itself that it is too large."""
    return settings.SMIME.upload_most_bytes + 64 * 1024


_IMPORT = Counter(is_admitted, _import_bytes, on_disk=True)
# Letters, forms, requests and what officers collect are read in memory: no copy of them ever lies in a folder.
PAGES = {
    "admin:imports": _IMPORT,
    "admin:campaign_list": _IMPORT,
    "admin:attach_smime_evidence": Counter(is_admitted, _evidence_bytes),
    "smime:attestazione": Counter(_is_customer, _evidence_bytes),
    "smime:key": Counter(_is_customer, lambda: _KEY_REQUEST_BYTES),
    "smime:alternative_upload": Counter(_anybody, _evidence_bytes),
}


class BoundedUpload(TemporaryFileUploadHandler):
    """Keeps the files as long as the request lasts, and marks a request that sent too much."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        """Start with nothing allowed: what may come is asked when the first file comes."""
        super().__init__(request)
        self._left: int | None = None
        self._counter: Counter | None = None
        self._held: io.BytesIO | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open a place for the file, if this page takes files from this visitor."""
        if self._left is None:
            self._counter = _counter_of(self.request) if self.request is not None else None
            self._left = self._counter.most_bytes() if self._counter else 0
        if not self._left or self._counter is None:
            raise SkipFile
        if self._counter.on_disk:
            super().new_file(*args, **kwargs)
        else:
            FileUploadHandler.new_file(self, *args, **kwargs)
            self._held = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a piece, as long as the limit lasts."""
        self._left = (self._left or 0) - len(raw_data)
        if self._left <= 0:
            self._left = 0
            self.request.sent_too_much = True  # type: ignore[union-attr] # read by the page, which says so
            raise SkipFile
        if self._held is None:
            return super().receive_data_chunk(raw_data, start)
        self._held.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        """Hand the file over."""
        held, self._held = self._held, None
        if held is None:
            return super().file_complete(file_size)
        held.seek(0)
        return InMemoryUploadedFile(
            held, self.field_name, self.file_name or "", self.content_type or "", file_size, self.charset
        )


def _counter_of(request: HttpRequest) -> Counter | None:
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return None
    counter = PAGES.get(name)
    return counter if counter is not None and counter.takes_from(request) else None
