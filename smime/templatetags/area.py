"""Pieces of the customer area: those of all public pages, and the way back to its dashboard."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.template.context import Context
from django.utils.translation import gettext as _

from cms.templatetags import public
from smime.countries import NAMES

register = template.Library()
register.filters |= public.register.filters
register.tags |= public.register.tags


@register.filter
def country(code: str) -> str:
    """Say a country's name in the reader's language; a code that is no longer offered stands as it is."""
    return _(NAMES[code]) if code in NAMES else code


@register.simple_tag(takes_context=True)
def here(context: Context) -> str:
    """Where to come back after the language was changed: this page, or the dashboard for one that was posted to."""
    request = context.get("request")
    return request.path if request is not None and request.method == "GET" else settings.CUSTOMER_PATH
