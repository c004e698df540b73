"""The product on a real port, served by threads of this process: so the story's clock rules it."""

from __future__ import annotations

import threading
from collections import defaultdict
from socketserver import ThreadingMixIn
from typing import Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


class LiveProduct:
    """Serves until the block ends; `answers` keeps every body that was served, by media type."""

    def __init__(self) -> None:
        """Take a free port at once, so that it can be named before anybody is served."""
        self.server = _Server(("127.0.0.1", 0), _Quiet)
        self.address = f"http://localhost:{self.server.server_port}"
        self.answers: dict[str, set[bytes]] = defaultdict(set)
        self.statuses: list[int] = []

    def __enter__(self) -> Self:
        """Serve."""
        self.server.set_app(self._closing(WSGIHandler()))
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for those who are still being served."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def _closing(self, application):
        """Each request has a thread of its own, which leaves no connection behind."""

        def serve(environ, start_response):
            try:
                response = application(environ, start_response)
                self.statuses.append(response.status_code)
                if not response.streaming:
                    self.answers[response.headers.get("Content-Type", "")].add(response.content)
                return response
            finally:
                connections.close_all()

        return serve
