"""Addresses of the customer area and of mailed links. No name, mailbox or code of a person ever stands in one."""

from __future__ import annotations

from django.urls import path

from smime.pages import home

app_name = "smime"

urlpatterns = [
    path("", home.dashboard, name="dashboard"),
    path("lingua/", home.language, name="language"),
    path("pratiche/", home.orders, name="orders"),
]
