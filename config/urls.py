"""Addresses: health, and what each package serves."""

from __future__ import annotations

from django.urls import path

from config import health

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]
