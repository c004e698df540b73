"""Addresses of the CA's public services, below what the ceremony was given as `base_url`."""

from django.urls import path, re_path

from authority import views

app_name = "authority"

urlpatterns = [
    path("ca/<slug:role>.crt", views.ca_certificate, name="ca"),
    path("crl/<slug:role>.crl", views.crl, name="crl"),
    path("crl/<slug:role>/<int:year>.crl", views.crl, name="crl-shard"),
    path("ocsp/<slug:role>", views.ocsp_post, name="ocsp"),
    re_path(r"^ocsp/(?P<role>[-\w]+)/(?P<encoded>.+)$", views.ocsp_get, name="ocsp-get"),
]
