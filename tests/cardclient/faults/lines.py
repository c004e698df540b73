"""Lines to the office that lose what they carry: a request that never arrives, or an answer after its effect."""

from __future__ import annotations

from collections import Counter

import httpx

from cardclient.office import BASE

REQUEST, ANSWER = "request", "answer"


class CutLine(httpx.HTTPTransport):
    """HTTP as ever, but for the calls named: `times` of each are lost, at the request or at the answer."""

    def __init__(self, what: str, paths: list[str] | None = None, *, times: int = 1) -> None:
        """Lose calls of these paths (None: of every path)."""
        super().__init__()
        self._what, self._paths, self._times = what, paths, times
        self.lost: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, or lose it, or its answer."""
        path = request.url.path.removeprefix(BASE)
        self.seen[path] += 1
        cut = (self._paths is None or path in self._paths) and self.lost[path] < self._times
        if cut:
            self.lost[path] += 1
        if cut and self._what == REQUEST:
            raise httpx.ConnectError("line cut", request=request)
        answer = super().handle_request(request)
        if cut:
            answer.read()
            raise httpx.ReadTimeout("answer lost", request=request)
        return answer
