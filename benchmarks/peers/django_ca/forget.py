"""Empty the peer's table of certificates, so that the next filling begins anew."""

import django

django.setup()

from django.db import connection  # noqa: E402 - after the settings

with connection.cursor() as cursor:
    cursor.execute("TRUNCATE django_ca_certificate CASCADE")
print("empty")
