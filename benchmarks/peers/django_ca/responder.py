"""Make the OCSP responder's key and certificate of each CA; its own command for that fails without Celery."""

import django

django.setup()

from django_ca.key_backends.storages.models import StoragesUsePrivateKeyOptions  # noqa: E402 - after the settings
from django_ca.models import CertificateAuthority  # noqa: E402

for ca in CertificateAuthority.objects.all():
    ca.generate_ocsp_key(StoragesUsePrivateKeyOptions(password=None))
print("ready")
