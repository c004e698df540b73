"""Revoke certificates in the peer, one after the other with its own method; `revoke.py KEY_TYPE GOOD REVOKED`.

Prints the seconds that the revocations took.
"""

import json
import sys
import time

import django

django.setup()

from django_ca.constants import ReasonFlags  # noqa: E402 - after the settings
from django_ca.models import Certificate, CertificateAuthority  # noqa: E402
from revocations import fill  # noqa: E402 - beside this file

key_type, good, revoked = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
authority = CertificateAuthority.objects.get(name=key_type)
fill(authority, 0, good)
rows = list(Certificate.objects.filter(ca=authority, revoked=False).order_by("serial")[:revoked])
begun = time.perf_counter()
for row in rows:
    row.revoke(reason=ReasonFlags.certificate_hold)
print(json.dumps(time.perf_counter() - begun))
