"""The attestation's page: the guide's words, now or later, the letter to sign, files that are refused with their reason."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smime.models import EvidenceFile, Order
from tests.smime.corpus import archive, pdf, pdf_with_javascript
from tests.smime.customers import NOW, customer, filled_in, started, submitted
from tests.smime.test_attestation import FIELDS


@pytest.fixture(autouse=True)
def _now(clock):
    clock.instant = NOW


@pytest.fixture
def order(db) -> Order:
    return filled_in("sv")


@pytest.fixture
def area(order) -> Client:
    client = Client()
    client.force_login(order.buyer)
    return client


def page_of(order: Order) -> str:
    return f"/area-clienti/pratiche/{order.uid}/attestazione/"


def send(client, order, *, name="attestazione.pdf", content=None, sent_as="application/pdf", action="now", **fields):
    file = SimpleUploadedFile(name, pdf() if content is None else content, content_type=sent_as)
    return client.post(page_of(order), {**FIELDS, **fields, "file": file, "action": action})


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_page_speaks_as_the_guide_does(area, order):
    said = text_of(area.get(page_of(order)))
    for words in (
        "Attestazione del Rapporto Professionale",
        "Seleziona file",
        "trascini il documento all'interno del riquadro",
        "Invia ora",
        "Carica e invia dopo",
        "al massimo 10 MB e 20 pagine",
    ):
        assert words in said.replace("&#x27;", "'")
    assert "Anna Prova" in said


def test_sent_now_it_goes_on_to_the_summary(area, order):
    answer = send(area, order)

    assert (answer.status_code, answer["Location"].rsplit("/", 2)[1]) == (302, "riepilogo")
    assert EvidenceFile.objects.get(order=order).name == "attestazione.pdf"


def test_later_is_a_way_on_too(db):
    order = started("sv")
    Order.objects.filter(pk=order.pk).update(
        **{name: getattr(filled_in("sv"), name) for name in ("mailbox", "recipient_confirmed_at", "technical_email")},
        contact_email="bruno@azienda.example.org",
        vat_number="07643520567",
    )
    client = Client()
    client.force_login(order.buyer)
    answer = client.post(page_of(order), {"action": "later", "company": "Esempio S.r.l."})

    assert answer["Location"].endswith("/riepilogo/")
    assert 'value="Esempio S.r.l."' in client.get(page_of(order)).content.decode()


def test_the_letter_comes_filled_in_and_what_was_typed_stays(area, order):
    letter = area.post(page_of(order), {"action": "letter", "company": "Esempio S.r.l."})

    assert (letter["Content-Type"], letter.content[:5]) == ("application/pdf", b"%PDF-")
    assert letter["Content-Disposition"].startswith("attachment")
    assert "Anna" not in letter["Content-Disposition"]
    assert 'value="Esempio S.r.l."' in area.get(page_of(order)).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.zip", archive, "Questo tipo di file non è accettato"),
        ("a.jpg", pdf, "non corrisponde al contenuto"),
        ("a.pdf", lambda: b"", "Il file è vuoto"),
        ("a.pdf", lambda: pdf() + b"\n" * 11 * 1024 * 1024, "Il file è troppo grande"),
    ],
)
def test_a_refused_file_says_why_and_keeps_what_was_typed(area, order, name, content, said):
    answer = send(area, order, name=name, content=content())

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'value="IT Manager"' in answer.content.decode()
    assert not EvidenceFile.objects.exists()


def test_a_field_that_is_wrong_is_named_and_the_file_asked_for_again(area, order):
    said = text_of(send(area, order, attested_on="2026-03-05"))
    assert "nel futuro" in said
    assert "Scelga di nuovo il file" in said


def test_without_a_file_the_page_says_which_way_there_is(area, order):
    answer = area.post(page_of(order), {**FIELDS, "action": "now"})
    assert "Carica e invia dopo" in text_of(answer)
    assert answer.status_code == 422


def test_a_letter_that_was_put_aside_is_told_at_once_and_on_the_page(area, order):
    said = text_of(area.get(send(area, order, content=pdf_with_javascript())["Location"]))
    assert "azioni automatiche" in said
    assert "azioni automatiche" in text_of(area.get(page_of(order)))


def test_another_customer_finds_no_page_and_sends_nothing(order):
    stranger = Client()
    stranger.force_login(customer())

    assert stranger.get(page_of(order)).status_code == 404
    assert send(stranger, order).status_code == 404
    assert not EvidenceFile.objects.exists()


def test_who_is_not_logged_in_sends_nothing(order):
    assert "/accesso/" in send(Client(), order)["Location"]


def test_a_type_without_attestation_has_no_such_page(db):
    order = submitted("ov")
    client = Client()
    client.force_login(order.buyer)
    assert client.get(page_of(order)).status_code in {404, 409}


def test_files_are_taken_nowhere_else_in_the_area(area, order):
    file = SimpleUploadedFile("a.pdf", pdf(), content_type="application/pdf")
    answer = area.post(f"/area-clienti/pratiche/{order.uid}/destinatario/", {"file": file})
    assert answer.wsgi_request.FILES == {}


def test_no_file_lies_on_the_disk_meanwhile(area, order):
    answer = send(area, order, content=archive("a", bytes(5_000_000)) + b"x" * 4_000_000, name="a.zip")
    (file,) = answer.wsgi_request.FILES.values()
    assert not hasattr(file, "temporary_file_path")
