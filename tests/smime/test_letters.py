"""Who reads which mail of an activation: four roles with four mailboxes, and what each of them must never get."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.mail import EmailMessage

from notifications import rendering
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from runtime import sealing
from smime.models import Check, Consent, KeyBundle, SmimeCertificate
from smime.policy_letters import READERS, Reader
from smime.services import letters
from smime.states import CheckKind, ConsentDecision
from tests.smime.mailed import NOW, order_of

LINK = "https://sigillo.example/area-clienti/link/casella/abc/"
PASSWORD = "K7QXM-4WPRD-9HTVC-2NJFB-6YSGA"
MAILBOXES = {
    "anna@posta.example.org": Reader.RECIPIENT,
    "tecnico@azienda.example.org": Reader.TECHNICAL,
    "direzione@azienda.example.org": Reader.ORGANISATION,
    "acquisti@azienda.example.org": Reader.BUYER,
}
SMIME = [message for message in Message if message.startswith("smime-")]
ONLY_RECIPIENT, WITH_TECHNICAL = {Reader.RECIPIENT}, {Reader.RECIPIENT, Reader.TECHNICAL}
MATRIX = {
    Message.SMIME_VERIFY_MAILBOX: ONLY_RECIPIENT,
    Message.SMIME_CONSENT: ONLY_RECIPIENT,
    Message.SMIME_IDENTIFICATION: ONLY_RECIPIENT,
    Message.SMIME_IDENTIFICATION_PASSED: ONLY_RECIPIENT,
    Message.SMIME_IDENTIFICATION_FAILED: ONLY_RECIPIENT,
    Message.SMIME_ALTERNATIVE: ONLY_RECIPIENT,
    Message.SMIME_FORM_RECEIVED: ONLY_RECIPIENT,
    Message.SMIME_ORGANISATION_CHECK: {Reader.ORGANISATION},
    Message.SMIME_PAPERS_MISSING: {Reader.RECIPIENT, Reader.BUYER},
    Message.SMIME_REFUSED: ONLY_RECIPIENT,
    Message.SMIME_ISSUED: ONLY_RECIPIENT,
    Message.SMIME_ISSUED_OWN_KEY: ONLY_RECIPIENT,
    Message.SMIME_ISSUED_NOTICE: {Reader.TECHNICAL},
    Message.SMIME_EXPIRING: WITH_TECHNICAL,
    Message.SMIME_REVOKED: WITH_TECHNICAL,
    Message.SMIME_SLOTS_CREDITED: {Reader.BUYER},
    Message.SMIME_OWN_MAILBOX: {Reader.BUYER},
    Message.SMIME_DOWNLOAD_CODE: {Reader.BUYER},
    Message.SMIME_DOWNLOAD_LINK: ONLY_RECIPIENT,
    Message.SMIME_DOWNLOADED: ONLY_RECIPIENT,
}


def an_order(**fields):
    """An SV order whose four roles are four persons."""
    persons = {
        "mailbox": "anna@posta.example.org",
        "technical_given_name": "Tea",
        "technical_surname": "Prova",
        "technical_email": "tecnico@azienda.example.org",
        "contact_given_name": "Dora",
        "contact_surname": "Prova",
        "contact_email": "direzione@azienda.example.org",
    }
    order = order_of("mv", **{"own": False} | persons | fields)
    order.validation = "sv"
    order.save()
    order.buyer.email, order.buyer.full_name = "acquisti@azienda.example.org", "Bice Prova"
    order.buyer.save()
    OutboxMessage.objects.all().delete()
    return order


def a_certificate(order, *, edition=1, ground="", revoked_at=None):
    """A row of the register, with a file to download."""
    certificate = SmimeCertificate.objects.create(
        order=order,
        edition=edition,
        serial=f"{edition:040x}",
        issuer_key_id="a",
        fingerprint=f"{edition:064x}",
        spki_sha256=f"{edition:064x}",
        der=b"der",
        not_before=NOW,
        not_after=NOW + timedelta(days=365, seconds=-1),
        issued_at=NOW,
    )
    KeyBundle.objects.create(
        certificate=certificate,
        format="modern",
        sealed=b"sealed",
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
        most_downloads=5,
        downloads=1,
    )
    if revoked_at:
        certificate.revoke(at=revoked_at, ground=ground)
        certificate.save()
    return certificate


def check_of(order, kind):
    return Check.objects.get_or_create(order=order, kind=kind)[0]


def post(message, order):
    """Cause the mail by its own function."""
    link, at = LINK, NOW
    {
        Message.SMIME_VERIFY_MAILBOX: lambda: letters.post_verify_mailbox(order, link, at=at),
        Message.SMIME_CONSENT: lambda: letters.post_consent(order, link, at=at),
        Message.SMIME_IDENTIFICATION: lambda: letters.post_identification(order, link, NOW, at=at),
        Message.SMIME_IDENTIFICATION_PASSED: lambda: letters.post_identification_passed(order, at=at),
        Message.SMIME_IDENTIFICATION_FAILED: lambda: letters.post_identification_failed(order, link, 1, at, at=at),
        Message.SMIME_ALTERNATIVE: lambda: letters.post_alternative(order, link, at=at),
        Message.SMIME_FORM_RECEIVED: lambda: letters.post_form_received(order, at=at),
        Message.SMIME_ORGANISATION_CHECK: lambda: letters.post_organisation_check(order, passed=False, at=at),
        Message.SMIME_PAPERS_MISSING: lambda: letters.post_papers_missing(
            order, check_of(order, CheckKind.ATTESTATION), "Manca la data.", at=at
        ),
        Message.SMIME_REFUSED: lambda: letters.post_refused(order, "Dati errati.", at=at),
        Message.SMIME_ISSUED: lambda: letters.post_issued(order, PASSWORD, a_certificate(order), at=at),
        Message.SMIME_ISSUED_OWN_KEY: lambda: letters.post_issued(order, "", a_certificate(order), at=at),
        Message.SMIME_ISSUED_NOTICE: lambda: letters.post_issued(order, PASSWORD, a_certificate(order), at=at),
        Message.SMIME_EXPIRING: lambda: (a_certificate(order), letters.post_expiring(order, 30, at=at)),
        Message.SMIME_REVOKED: lambda: letters.post_revoked(
            a_certificate(order, ground="key-compromise", revoked_at=NOW), at=at
        ),
        Message.SMIME_SLOTS_CREDITED: lambda: letters.post_slots_credited(order.buyer, [order.slot], link, at=at),
        Message.SMIME_OWN_MAILBOX: lambda: letters.post_own_mailbox(
            order.slot, order.buyer.email, link, expires=NOW, at=at
        ),
        Message.SMIME_DOWNLOAD_CODE: lambda: letters.post_download_code(order, "702915", expires=NOW, at=at),
        Message.SMIME_DOWNLOAD_LINK: lambda: letters.post_download_link(order, link, at=at),
        Message.SMIME_DOWNLOADED: lambda: letters.post_downloaded(order, a_certificate(order).bundle, at=at),
    }[message]()


def readers(message):
    return {MAILBOXES[row.recipient] for row in OutboxMessage.objects.filter(kind=message)}


def test_every_mail_of_an_activation_stands_in_the_matrix():
    assert set(MATRIX) == set(READERS) == set(SMIME)


@pytest.mark.parametrize("message", SMIME)
@pytest.mark.django_db
def test_a_mail_goes_to_its_roles_and_to_no_other(message):
    order = an_order()

    post(message, order)

    assert readers(message) == MATRIX[message]
    greeted = {row.context["recipient_name"].split()[0] for row in OutboxMessage.objects.filter(kind=message)}
    names = {Reader.RECIPIENT: "Anna", Reader.TECHNICAL: "Tea", Reader.ORGANISATION: "Dora", Reader.BUYER: "Bice"}
    assert greeted == {names[reader] for reader in MATRIX[message]}


@pytest.mark.parametrize("kind", [CheckKind.ORGANISATION, CheckKind.AUTHORITY])
@pytest.mark.django_db
def test_papers_of_the_organisation_are_asked_of_its_contact(kind):
    order = an_order()

    letters.post_papers_missing(order, check_of(order, kind), "Manca la visura.", at=NOW)

    assert readers(Message.SMIME_PAPERS_MISSING) == {Reader.ORGANISATION, Reader.BUYER}


@pytest.mark.django_db
def test_what_is_missing_is_named_in_the_mail():
    order = an_order()
    letters.post_papers_missing(order, check_of(order, CheckKind.ATTESTATION), "Manca la firma.", at=NOW)

    said = rendering.render(OutboxMessage.objects.first()).text

    assert "Attestazione del rapporto professionale" in said
    assert "Manca la firma." in said
    assert f"/area-clienti/pratiche/{order.uid}/" in said


@pytest.mark.django_db
def test_the_password_is_mailed_to_the_recipient_alone_and_lies_sealed():
    order = an_order()

    letters.post_issued(order, PASSWORD, a_certificate(order), at=NOW)

    for row in OutboxMessage.objects.all():
        assert PASSWORD not in json.dumps(row.context)
        assert (PASSWORD in rendering.render(row).text) == (MAILBOXES[row.recipient] is Reader.RECIPIENT)
    row = OutboxMessage.objects.get(kind=Message.SMIME_ISSUED)
    assert json.loads(sealing.unseal(row.sealed_context, context=row.seal_context)) == {"p12_password": PASSWORD}


@pytest.mark.django_db
def test_the_recipient_who_bought_is_told_where_to_download_and_that_the_password_is_only_here():
    order = an_order(own=True)
    letters.post_issued(order, PASSWORD, a_certificate(order), at=NOW)

    said = " ".join(rendering.render(OutboxMessage.objects.get(kind=Message.SMIME_ISSUED)).text.split())

    assert f"/area-clienti/pratiche/{order.uid}/" in said
    assert "È scritta solo in questo messaggio" in said
    assert "fino a mer 01/04/2026, 11:00" in said


@pytest.mark.django_db
def test_a_recipient_who_did_not_buy_is_sent_no_address_that_he_cannot_open():
    order = an_order()
    letters.post_issued(order, PASSWORD, a_certificate(order), at=NOW)

    said = rendering.render(OutboxMessage.objects.get(kind=Message.SMIME_ISSUED)).text

    assert "/area-clienti/" not in said
    assert "altro messaggio" in said


@pytest.mark.django_db
def test_whoever_is_recipient_and_technical_contact_gets_one_mail():
    order = an_order(technical_email="ANNA@posta.example.org")
    post(Message.SMIME_ISSUED, order)
    letters.post_expiring(order, 30, at=NOW)

    assert readers(Message.SMIME_ISSUED) == {Reader.RECIPIENT}
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_a_fact_is_told_once_and_a_new_edition_anew():
    order = an_order()
    for edition in (1, 1, 2):
        certificate = SmimeCertificate.objects.filter(edition=edition).first() or a_certificate(order, edition=edition)
        letters.post_issued(order, PASSWORD, certificate, at=NOW)
        letters.post_expiring(order, 30, at=NOW + timedelta(hours=edition))

    issued = OutboxMessage.objects.filter(kind=Message.SMIME_ISSUED).order_by("context__edition")
    assert [row.context["edition"] for row in issued] == [1, 2]
    assert "nuovo certificato" in rendering.render(issued[1]).subject
    assert OutboxMessage.objects.filter(kind=Message.SMIME_EXPIRING, recipient="anna@posta.example.org").count() == 2


@pytest.mark.django_db
def test_the_alternative_says_what_has_closed_the_other_way():
    order = an_order()
    post(Message.SMIME_ALTERNATIVE, order)
    Consent.objects.create(order=order, decision=ConsentDecision.REFUSED, version="1", sha256="0" * 64, at=NOW)
    letters.post_alternative(order, LINK, at=NOW + timedelta(hours=1))

    failed, refused = (rendering.render(row).text for row in OutboxMessage.objects.order_by("created_at"))

    assert "non è riuscito" in failed
    assert "non ha dato il consenso" in refused


@pytest.mark.django_db
def test_deadlines_are_said_with_weekday_in_italian_time():
    order = an_order()
    at = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)  # in between, Italy puts its clocks forward

    letters.post_verify_mailbox(order, LINK, at=at)

    assert "dom 29/03/2026, 03:30" in rendering.render(OutboxMessage.objects.get()).text


@pytest.mark.django_db
def test_a_signed_form_is_answered_after_five_working_days():
    order = an_order()

    letters.post_form_received(order, at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC))  # Friday already, in Italy

    assert "ven 13/03/2026" in rendering.render(OutboxMessage.objects.get()).text


@pytest.mark.django_db
def test_a_name_with_line_breaks_makes_no_header():
    order = an_order(given_name="Anna\r\nBcc: tutti@altrove.example.org")

    letters.post_identification_passed(order, at=NOW)

    row = OutboxMessage.objects.get()
    assert "\n" not in row.context["recipient_name"]
    assert EmailMessage(subject=rendering.render(row).subject).message()["Subject"]


@pytest.mark.parametrize("message", SMIME)
def test_links_codes_and_passwords_never_stand_in_the_plain_context(message):
    assert not {"mailed_url", "p12_password", "account_url", "download_code"} & set(CATALOG[message].shapes)
