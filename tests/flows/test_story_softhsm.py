"""The whole story of two cards, told with time passed in and checked by other people's programs.

Both are renewed by `sigillo-card` on SoftHSM2 tokens over real HTTP. The centre forgets both until the old certificates
have expired; then it approves the first, and the second is never approved. The story lies in the past, so that the
client, which has the machine's clock, has nothing to wait for.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils.module_loading import import_string
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from authority.gateway import EmbeddedGateway
from authority.models import Crl, JournalEntry, LedgerEntry, OcspSigner
from authority.queries import issuing_authorities, roots
from authority.services import ceremony
from config.schedule import RESCAN, SCHEDULE
from pki.gateway import Profile
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.authority.founding import found
from tests.flows.linting import Linter
from tests.flows.live import LiveProduct
from tests.flows.programs import lack, run
from tests.flows.relying_party import RelyingParty
from tests.flows.token_holder import TokenHolder
from tests.renewals.checking import assert_invariants
from tests.renewals.world import World

LACK = lack("openssl", "pdfsig", token=True)
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]

FOUNDED = datetime(2021, 1, 11, 10, 0, tzinfo=UTC)
RENEWAL = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
OLD_END = datetime(2024, 3, 31, 8, 30, 15, tzinfo=UTC)
NEW_END = datetime(2027, 3, 31, 8, 30, 15, tzinfo=UTC)
APPROVAL = datetime(2024, 5, 20, 14, 0, tzinfo=UTC)
ROUNDS = 3
LAST_ROUND = (ROUNDS - 1) * RESCAN
DAY_120 = datetime(2024, 7, 29, 21, 59, 59, tzinfo=UTC)
DAY_121 = datetime(2024, 7, 29, 22, 0, 0, tzinfo=UTC)  # 30 July 00:00 in Rome; the day of suspension is not counted
FOR_GOOD = {"revoked privilegeWithdrawn", "revoked (UNKNOWN)"}  # OpenSSL 3.0 has no name for this reason yet


@dataclass
class Story:
    """The installation, its clock, and who looks at it from outside."""

    clock: object
    product: LiveProduct
    party: RelyingParty
    world: World
    mailbox: object

    def go_to(self, at: datetime) -> None:
        """Let beat and worker come by at this instant and twice more, a rescan apart: the chain needs no nudge.

        A round may find the case due, the next one asks the CA, the last one publishes.
        """
        for number in range(ROUNDS):
            self.clock.instant = at + number * RESCAN
            for entry in SCHEDULE.values():
                import_string(entry["task"])()
            self.party.fetch_all_crls()
        assert_invariants(self.clock.instant)

    def statuses(self, pair: dict[str, bytes]) -> set[str]:
        """What OCSP says of both halves now, asked with a nonce and without."""
        at = self.clock.instant
        return {self.party.ocsp(der, nonce, at=at) for der in pair.values() for nonce in ("-nonce", "-no_nonce")}

    def accepts(self, pair: dict[str, bytes]) -> set[bool]:
        """What `openssl verify -crl_check` says of both halves now."""
        return {self.party.verify(der, at=self.clock.instant).is_accepted for der in pair.values()}


class EveryCrl(RelyingParty):
    """One that fetches all lists that there are."""

    def fetch_all_crls(self) -> None:
        """From their public addresses."""
        for crl in Crl.objects.select_related("issuer").filter(number__gt=0):
            self.fetch(crl.issuer.crl_url(crl.year))


@pytest.fixture
def story(committed, clock, mailbox, settings, tmp_path):
    """An installation with a CA of RSA-4096 keys, founded years ago and served here."""
    with LiveProduct() as product:
        settings.BASE_URL = product.address
        clock.instant = FOUNDED
        found("rsa-4096", at=FOUNDED)
        moved = (ceremony.DEFAULT_BASE_URL, f"{product.address}/pki")
        party = EveryCrl(tmp_path / "party", EmbeddedGateway().trust_anchors()[0], moved=moved)
        told = Story(clock, product, party, None, mailbox)
        told.go_to(FOUNDED)
        clock.instant = RENEWAL
        told.world = World(EmbeddedGateway(), RENEWAL)
        yield told


def test_two_cards_renew_are_suspended_and_one_of_them_is_approved_in_time(story, tmp_path):
    holders = [TokenHolder.equip(story.world, n, tmp_path / f"token-{n}", not_after=OLD_END) for n in (1, 2)]
    story.go_to(RENEWAL - timedelta(days=1))

    # The renewal.
    story.clock.instant = RENEWAL
    outcomes = [holder.renew(story.product.address) for holder in holders]
    for outcome in outcomes:
        assert (outcome["exit"], outcome["case"]["state_label"]) == (0, "Completato"), outcome
        assert outcome["case"]["concluded"] is False
    story.go_to(RENEWAL + timedelta(minutes=1))
    pairs = [require_on_the_token(holder, tmp_path) for holder in holders]
    for holder, pair in zip(holders, pairs, strict=True):
        require_three_years_more(holder.old, pair)
        require_signed_form(story, holder, tmp_path)
        assert story.accepts(pair) == story.accepts(holder.old) == {True}
        assert story.statuses(pair) == {"good"}

    # The old certificates have run out and nobody has approved.
    story.go_to(OLD_END - LAST_ROUND)
    assert [story.accepts(pair) for pair in pairs] == [{True}, {True}]
    story.go_to(OLD_END + timedelta(seconds=1))
    for pair in pairs:
        assert story.statuses(pair) == {"revoked certificateHold"}
        assert story.accepts(pair) == {False}

    # Approva, for the first.
    approved, forgotten = pairs
    story.clock.instant = APPROVAL
    case = RenewalCase.objects.get(code=outcomes[0]["case"]["code"])
    decisions.approve_renewal(case.pk, operator=story.world.operator, now=APPROVAL)
    story.go_to(APPROVAL + timedelta(minutes=1))
    assert story.statuses(approved) == {"good"}
    assert story.accepts(approved) == {True}
    assert story.statuses(forgotten) == {"revoked certificateHold"}

    # Day 120 belongs to the holder; day 121 ends it for the other.
    story.go_to(DAY_120 - LAST_ROUND)
    assert story.statuses(forgotten) == {"revoked certificateHold"}
    story.go_to(DAY_121)
    assert story.statuses(forgotten) <= FOR_GOOD
    assert {story.party.listed_as(der) for der in forgotten.values()} == {x509.ReasonFlags.privilege_withdrawn}
    assert story.accepts(forgotten) == {False}
    assert (story.statuses(approved), story.accepts(approved)) == ({"good"}, {True})
    labels = {case.code: case.get_state_display() for case in RenewalCase.objects.all()}
    assert [labels[outcome["case"]["code"]] for outcome in outcomes] == ["Completato", "Scaduto"]

    assert max(story.product.statuses) < 500
    require_told_in_order(story.mailbox, holders)
    require_clean(story, tmp_path / "lint")


def require_on_the_token(holder: TokenHolder, folder) -> dict[str, bytes]:
    """Two certificates and no old one are read back from the token, and each key that goes with them signs there."""
    found = holder.read_back()
    assert sorted(found) == sorted(holder.ids("privkey")) == sorted(holder.ids("pubkey"))
    assert len(found) == 2
    assert not set(found.values()) & set(holder.old.values())
    for identifier, der in found.items():
        (folder / "signature").write_bytes(holder.sign(identifier, b"prova"))
        (folder / "data").write_bytes(b"prova")
        public = x509.load_der_x509_certificate(der).public_key()
        (folder / "public.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        said = run(
            "openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "data", folder=folder
        )
        assert said.stdout.strip() == "Verified OK", said
    return {slot_of(der): der for der in found.values()}


def slot_of(der: bytes) -> str:
    """Which half it is, by its key usage."""
    usage = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.KeyUsage).value
    return "signature" if usage.content_commitment else "authentication"


def require_three_years_more(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """To the second, from the predecessor's end; the same person, another key, the CA with RSA-4096."""
    for slot, der in old.items():
        before, after = x509.load_der_x509_certificate(der), x509.load_der_x509_certificate(new[slot])
        assert (before.not_valid_after_utc, after.not_valid_after_utc) == (OLD_END, NEW_END)
        assert after.not_valid_before_utc == RENEWAL
        assert after.subject == before.subject
        assert after.public_key() != before.public_key()
        assert len(after.signature) * 8 == 4096


def require_signed_form(story: Story, holder: TokenHolder, folder) -> None:
    """The form as the mail brought it is validly signed by the old signature certificate, say pyHanko and poppler."""
    pdf = only_attachment(story.mailbox, holder.person.email)
    gateway = EmbeddedGateway()
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    status = validate_pdf_signature(
        signature,
        signer_validation_context=ValidationContext(
            trust_roots=[asn1.Certificate.load(der) for der in gateway.trust_anchors()],
            other_certs=[asn1.Certificate.load(der) for der in gateway.issuers()],
            moment=RENEWAL,
        ),
    )
    assert status.bottom_line, status.pretty_print_details()
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.signing_cert.dump() == holder.old["signature"]
    (folder / "form.pdf").write_bytes(pdf)
    said = run("pdfsig", "-nocert", "form.pdf", folder=folder).stdout
    assert said.count("Signature is Valid.") == 1, said
    assert "Total document signed" in said


def only_attachment(mailbox, address: str) -> bytes:
    """The one PDF that was mailed to this address."""
    mails = [mail for mail in mailbox.messages() if address in str(mail["to"])]
    found = [part for mail in mails for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert len(found) == 1
    return found[0].get_content()


def require_told_in_order(mailbox, holders: list[TokenHolder]) -> None:
    """Each holder heard of each turn of the story, once: invitation, form, done, warned, suspended; then their ends."""
    said = [
        [str(mail["subject"]) for mail in mailbox.messages() if holder.person.email in str(mail["to"])]
        for holder in holders
    ]
    assert [len(set(subjects)) for subjects in said] == [len(subjects) for subjects in said] == [6, 7], said
    assert said[0][5].startswith("Certificati riattivati")
    assert [subject.split()[:2] for subject in said[1][5:]] == [["Prossima", "revoca"], ["Certificati", "revocati:"]]


def require_clean(story: Story, folder) -> None:
    """No tool finds anything at WARNING or above on any certificate, CRL or OCSP response that the story made."""
    linter = Linter(folder)
    for authority in (*roots(), *issuing_authorities(), *OcspSigner.objects.all()):
        linter.authority(bytes(authority.certificate))
    for entry in LedgerEntry.objects.select_related("issued"):
        linter.holders(bytes(entry.issued.certificate), Profile(entry.profile))
    lists = story.product.answers["application/pkix-crl"]
    assert {hashlib.sha256(der).hexdigest() for der in lists} == set(published()), (
        "every list that was published was also fetched"
    )
    for der in lists:
        linter.crl(der)
    for der in story.product.answers["application/ocsp-response"]:
        linter.ocsp(der)
    assert linter.found == []
    assert linter.seen > 5 + 8 + 20 + 30


def published() -> list[str]:
    """Digests of all CRLs, out of the CA's journal."""
    return list(JournalEntry.objects.filter(kind="publish").values_list("facts__sha256", flat=True))
