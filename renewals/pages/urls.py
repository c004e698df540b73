"""Addresses of the holder's pages. No id, name or code ever stands in one."""

from __future__ import annotations

from django.urls import path

from renewals.pages import case, certificates, entrance, home

app_name = "holder"

urlpatterns = [
    path("", home.home, name="home"),
    path("lingua/", home.language, name="language"),
    path("esci/", home.leave, name="leave"),
    path("pratica/", case.show_case, name="case"),
    path("pratica/accesso/", case.find_case, name="find_case"),
    path("pratica/sollecita/", case.urge, name="urge"),
    path("pratica/rinuncia/", case.decline, name="decline"),
    path("accesso/", entrance.enter, name="enter"),
    path("codice/", entrance.ask_link, name="ask_link"),
    path("codice/inviato/", entrance.link_asked, name="link_asked"),
    path("codice/riapri/", entrance.reopen, name="reopen"),
    path("codice/nuovo/", entrance.reissue, name="reissue"),
    path("collegamento/", entrance.link, name="link"),
    path("collegamento/<str:token>/", entrance.open_link, name="open_link"),
    path("certificati/", certificates.show, name="certificates"),
    path("certificati/<uuid:uid>/sospendi/", certificates.suspend, name="suspend"),
    path("certificati/<uuid:uid>/riattiva/", certificates.reactivate, name="reactivate"),
    path("certificati/<uuid:uid>/revoca/", certificates.revoke, name="revoke"),
]
