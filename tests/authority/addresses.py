"""The addresses of the whole site: its middleware asks for some of them by name on every request."""

from config.urls import urlpatterns

__all__ = ["urlpatterns"]
