"""The second fence: pages of the panel work behind row policies of the database, beginning with none of its rows."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.database import PANEL
from runtime import fence
from runtime.fence import Fence

CLOSED = Fence(PANEL)
"""No centre, no service: whoever is not told otherwise sees no row of any centre."""


class SecondFence:
    """Places the connection at the start of each request; whoever answered before on this thread has left it anyhow.

    Streamed answers are read after the view has returned, so nothing is taken away at the end.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand around all that asks the database."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Close the database to the panel until a desk opens its part; other addresses work in the open."""
        if request.path.startswith(reverse("admin:index")):
            fence.stand_behind(CLOSED)
        else:
            fence.stand_in_the_open()
        return self.get_response(request)
