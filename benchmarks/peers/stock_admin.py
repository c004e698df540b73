"""The peer of W9: Django's own admin on the same table, as one registers it on the first day.

Its columns, filters and search are those of our list. It runs in the same process, with the stock templates, on the
same database, as a superuser of Django without any scope or row policy.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin import AdminSite, ModelAdmin
from django.urls import path

from renewals.models import RenewalCase

SETTINGS = {
    "ROOT_URLCONF": __name__,
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}
LIST = "/stock/renewals/renewalcase/"


class StockSite(AdminSite):
    """Whoever is here may see everything: login is not what is measured."""

    def has_permission(self, request: object) -> bool:  # type: ignore[override] # takes any request
        """Let everybody in."""
        del request
        return True


class StockCaseAdmin(ModelAdmin[RenewalCase]):
    """Gestione rinnovi without a thought."""

    list_display: ClassVar = ("code", "holder", "card", "old_not_after", "state", "authorisation", "due_kind", "due_at")
    list_filter: ClassVar = ("state", "authorisation")
    search_fields: ClassVar = ("code", "holder__tax_code", "holder__surname", "holder__given_name", "card__serial")
    list_select_related: ClassVar = ("holder", "card")
    list_per_page = 25
    ordering: ClassVar = ("-id",)
    show_facets = admin.ShowFacets.NEVER


site = StockSite(name="admin")
site.register(RenewalCase, StockCaseAdmin)
urlpatterns = [path("stock/", site.urls)]
