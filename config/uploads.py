"""Where files may be sent: to the pages named here, by an admitted operator, up to a limit. Elsewhere none is kept.

Django bounds the fields of a form and leaves its files unbounded; what this handler passes over is read and forgotten.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from cms.admin.entrance import is_admitted

PAGES = frozenset({"imports", "campaign_list"})


class BoundedUpload(TemporaryFileUploadHandler):
    """Keeps the files in temporary ones, which end with the request; marks a request that sent too much."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        """Start with nothing allowed: what may come is asked when the first file comes."""
        super().__init__(request)
        self._left: int | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open a temporary file, if this page takes files from this visitor."""
        if self._left is None:
            limit = settings.CMS.import_most_bytes + settings.CMS.import_most_csv_bytes
            self._left = limit if self.request is not None and _takes_files(self.request) else 0
        if not self._left:
            raise SkipFile
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a piece, as long as the limit lasts."""
        self._left = (self._left or 0) - len(raw_data)
        if self._left <= 0:
            self._left = 0
            self.request.sent_too_much = True  # type: ignore[union-attr] # read by the page, which says so
            raise SkipFile
        return super().receive_data_chunk(raw_data, start)


def _takes_files(request: HttpRequest) -> bool:
    try:
        name = resolve(request.path_info).url_name
    except Resolver404:
        return False
    return name in PAGES and is_admitted(request)
