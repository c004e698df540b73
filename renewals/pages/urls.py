"""Addresses of the holder's pages. No id, name or code ever stands in one."""

from __future__ import annotations

from django.urls import path

from renewals.pages import home

app_name = "holder"

urlpatterns = [
    path("", home.home, name="home"),
    path("lingua/", home.language, name="language"),
    path("esci/", home.leave, name="leave"),
]
