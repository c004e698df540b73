"""Make the peer's tables, one self-signed CA per key type, and an API user; print `{"key type": "CA serial"}`."""

import json
import os
from datetime import UTC, datetime, timedelta

import django

django.setup()

from cryptography import x509  # noqa: E402 - after the settings
from cryptography.x509.oid import NameOID  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_ca.api.utils import create_api_user  # noqa: E402
from django_ca.key_backends import key_backends  # noqa: E402
from django_ca.key_backends.storages.models import StoragesCreatePrivateKeyOptions  # noqa: E402
from django_ca.models import CertificateAuthority  # noqa: E402

KEYS = {
    "rsa-4096": {"key_type": "RSA", "key_size": 4096},
    "rsa-2048": {"key_type": "RSA", "key_size": 2048},
    "p-256": {"key_type": "EC", "elliptic_curve": "secp256r1"},
}

call_command("migrate", verbosity=0)
create_api_user("bench", os.environ["PEER_PASSWORD"])
serials = {}
for name, options in KEYS.items():
    authority = CertificateAuthority.objects.init(
        name=name,
        key_backend=key_backends["default"],
        key_backend_options=StoragesCreatePrivateKeyOptions(password=None, path="ca", **options),
        key_type=options["key_type"],
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Peer {name}")]),
        not_after=datetime.now(tz=UTC) + timedelta(days=3650),
        api_enabled=True,
    )
    serials[name] = authority.serial
print(json.dumps(serials))
