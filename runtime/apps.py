"""Runtime as an application; it has no tables of its own."""

from __future__ import annotations

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Named so that its abstract models can be imported."""

    name = "runtime"
