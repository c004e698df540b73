"""Addresses: health, what each package serves, the panel and its login, the holder's pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from cms.admin import invitations
from config import health, login, metrics, sessions
from config.api import api
from config.panel import site
from notifications.views import receive_report
from renewals.pages import download
from smime.api.webhook import receive as receive_identification

# allauth's pages, behind Italian addresses. What stands before the includes replaces or hides some of theirs.
login_pages = [
    path("sessione/", sessions.stay, name="stay"),
    path("invito/", invitations.accept, name="accept_invitation"),
    path("invito/<str:token>/", invitations.open_link, name="open_invitation"),
    path("signup/", login.not_offered),
    path("email/", login.not_offered),
    path("login/", login.Entrance.as_view(), name="account_login"),
    path("login/code/confirm/", login.not_offered),
    path("secondo-fattore/webauthn/keys/<int:pk>/remove/", login.RemovePasskey.as_view()),
    path("", include("allauth.account.urls")),
    path("secondo-fattore/", include("allauth.mfa.urls")),
]

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("pki/", include("authority.urls")),
    path("api/enrollment/v1/", api.urls),
    path("api/mail/v1/bounces", receive_report, name="mail_bounces"),
    path("api/smime/v1/identification", receive_identification, name="identification_webhook"),
    path("", login.home, name="home"),
    path("accesso/", include(login_pages)),
    path("pannello/", site.urls),
    path(settings.HOLDER_PATH.removeprefix("/"), include("renewals.pages.urls")),
    path(settings.CUSTOMER_PATH.removeprefix("/"), include("smime.pages.urls")),
    path(settings.CLIENT_PATH.removeprefix("/"), download.page, name="client"),
    path(f"{settings.CLIENT_PATH.removeprefix('/')}<str:name>", download.send, name="client_file"),
]

handler400 = "config.refusals.bad_request"
handler403 = "config.refusals.forbidden"
handler404 = "config.refusals.not_found"
handler500 = "config.refusals.broken"
