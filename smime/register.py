"""The register of S/MIME certificates, as the comparison with the CA walks it beside that of cards."""

from __future__ import annotations

from cms import ca
from cms.registers import Register
from smime.models import CaOrder, SmimeCertificate

MAIL = Register(
    stage="smime",
    noun="S/MIME certificate",
    certificates=SmimeCertificate.objects,
    bodies=SmimeCertificate.objects,
    requests=CaOrder.objects,
    issuers=ca.mail_issuers,
    page=("admin:smime_order", "order__code"),
)
