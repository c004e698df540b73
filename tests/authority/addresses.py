"""The CA's addresses alone, where an installation mounts them."""

from django.urls import include, path

urlpatterns = [path("pki/", include("authority.urls"))]
