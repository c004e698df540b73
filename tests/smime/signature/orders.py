"""An order whose recipient goes the alternative way, against the made-up trust scheme."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from config.demo import trust_scheme
from config.demo.trust_scheme import Identity, Wish
from smime.models import EvidenceFile, Order, SignatureReport
from smime.policy_signature import RecipientData
from smime.services import checks, links, signature, signature_verdicts, trusted_lists
from smime.states import CheckKind, IdentityPath, LinkPurpose, ScanState
from tests.smime import mailed
from tests.smime.signature import world

NOW = world.NOW
DATA = RecipientData("Giulia", "Bianchi", "BNCGLI85C41F205O")


def order_of(validation: str = "iv", *, at: datetime = NOW) -> Order:
    """An order whose mailbox is confirmed and whose identity check goes by signature: the link has been mailed."""
    order = mailed.order_of(validation, at=at, given_name="Giulia", surname="Bianchi")
    checks.pass_check(mailed.check_of(order, CheckKind.MAILBOX), at=at, method="SBR 3.2.2.2 v1.0.16")
    check = mailed.check_of(order, CheckKind.IDENTITY)
    check.path = IdentityPath.SIGNATURE
    check.save(update_fields=["path"])
    checks.begin(check, at=at)
    return order


def link_of(order: Order, *, at: datetime = NOW) -> str:
    """The value of a link to the alternative."""
    return links.issue_link(order, LinkPurpose.ALTERNATIVE, at=at)


def lists_loaded(folder: Path, settings, *, at: datetime = NOW) -> None:
    """Point the settings to a folder with the scheme's lists, and load them."""
    world.scheme().write(folder, at=at - timedelta(hours=1))
    settings.SMIME = settings.SMIME.model_copy(update={"trusted_lists_folder": str(folder)})
    trusted_lists.refresh(at=at)


def policy(settings, evidence_policy: str) -> None:
    """Say whether a signature is enough."""
    settings.SMIME = settings.SMIME.model_copy(update={"evidence_policy": evidence_policy})


def form_of(order: Order, *, at: datetime = NOW, data: RecipientData = DATA) -> bytes:
    """The form as the recipient downloads it."""
    token = link_of(order, at=at)
    signature.make_form(token, data, address=None, now=at)
    return signature.hand_out(token, address=None, now=at)[1]


def signed(pdf: bytes, by: Identity | None = None, *, at: datetime = NOW) -> bytes:
    """The form with the recipient's signature."""
    return trust_scheme.sign_pdf(pdf, by or world.signer(), at=at)


def sent(order: Order, content: bytes, *, at: datetime = NOW, name: str = "modulo.pdf") -> SignatureReport:
    """The form came back and the scanner has found nothing."""
    report = signature.receive_signed(order, name=name, content=content, at=at)
    EvidenceFile.objects.filter(pk=report.file_id).update(scan=ScanState.CLEAN, next_attempt_at=None)
    return report


def judged(order: Order, content: bytes, *, at: datetime = NOW, name: str = "modulo.pdf") -> SignatureReport:
    """The form came back and a worker has looked at it."""
    report = sent(order, content, at=at, name=name)
    signature_verdicts.validate(report.pk, at=at)
    report.refresh_from_db()
    return report


def signer(wish: Wish | None = None) -> Identity:
    """The recipient's qualified certificate."""
    return world.signer(wish)
