"""Addresses: health, and what each package serves."""

from __future__ import annotations

from django.urls import include, path

from config import health
from config.api import api

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("pki/", include("authority.urls")),
    path("api/enrollment/v1/", api.urls),
]
