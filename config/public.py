"""Relying parties have neither session nor language: CRL and OCSP stand before all that browsers need."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from runtime import fence

ADDRESSES = "/pki/"


class RelyingParties:
    """Answers the CA's public addresses at once; it halves the price of an OCSP answer that is at hand."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before sessions, languages and logins."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Call the view; the connection may come from a page of the panel, so it leaves the fence first."""
        if not request.path_info.startswith(ADDRESSES):
            return self.get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        fence.stand_in_the_open()
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response
