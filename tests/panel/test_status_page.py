"""Stato dei certificati: what the last check has found, who may begin one, and links only where somebody may see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import Event, StatusCheck, StatusDifference, User
from smime.models import SmimeCertificate
from tests.panel.town import NOW, PASSWORD
from tests.smime.mailed import order_of

PAGE = "/pannello/stato-certificati/"


@pytest.fixture
def ada(town):
    return User.objects.create_user(
        "ada@example.org", PASSWORD, full_name="Ada Esempio", is_staff=True, is_administrator=True
    )


@pytest.fixture
def client(ada, town, seat):
    return seat(ada, town.service)


def text(answer):
    return " ".join(answer.content.decode().split())


def checked(**changes):
    at = NOW - timedelta(hours=7)
    values = {
        "started_at": at,
        "finished_at": at + timedelta(minutes=9),
        "checked": 12,
        "total": 12,
        "stage": "recheck",
    }
    return StatusCheck.objects.create(**{**values, **changes})


def differs(check, **changes):
    values = {
        "check_run": check, "kind": "ledger", "issuer_key_id": "0a", "serial": "7f", "register_status": "held",
        "ca_status": "good", "crl_status": "good", "ocsp_status": "good", "found_at": NOW, "confirmed_at": NOW,
    }  # fmt: skip
    return StatusDifference.objects.create(**{**values, **changes})


def named(certificate):
    return {"issuer_key_id": certificate.issuer_key_id, "serial": certificate.serial}


def issued_for_mail(town):
    """A certificate for mail, of the same centre."""
    order = order_of("mv", at=NOW, centre=town.centre, service=town.service)
    dates = {"not_before": NOW, "issued_at": NOW, "not_after": NOW + timedelta(days=365)}
    digests = dict.fromkeys(("fingerprint", "spki_sha256"), "0" * 64)
    return SmimeCertificate.objects.create(
        order=order, edition=1, serial="1f3a", issuer_key_id="ab", der=b"", **dates, **digests
    )


def test_before_the_first_check_the_page_says_when_one_comes(client):
    assert "Nessun controllo finora" in text(client.get(PAGE))


def test_an_administrator_begins_one_check_however_often_he_clicks(client, ada):
    for _ in range(2):
        page = text(client.post(f"{PAGE}avvia/", follow=True))

    assert "In corso" in page
    assert 'data-live="running"' in page
    assert StatusCheck.objects.get().started_by == ada.pk
    assert Event.objects.filter(verb="status-check.started").count() == 1
    assert client.get(f"{PAGE}avvia/").status_code == 405


def test_each_difference_says_what_everybody_says_and_leads_to_what_may_be_seen(client, town):
    mine = town.completed(town.case()).new_pair.certificates.first()
    elsewhere = town.found("cdrl-altro", "Altro Ordine di Esempio")
    town.offer(town.other_service.code, town.other_service.name, centre=elsewhere)
    foreign = town.case(centre=elsewhere, service=town.other_service).old_pair.certificates.first()
    mail = issued_for_mail(town)
    check = checked()
    differs(check, certificate=mine, **named(mine))
    differs(check, certificate=foreign, **named(foreign), kind="crl", crl_status="revoked")
    differs(check, **named(mail), register_status="active")
    differs(check, kind="list", serial="", address="http://pki.example.org/crl/2026.crl", crl_status="stale")
    differs(check, serial="99", confirmed_at=None)

    page = text(client.get(PAGE))

    for words in (
        "Registro e CA discordano",
        "La CRL discorda",
        "Una CRL non è valida",
        "2026.crl",
        "scaduto",
        mine.serial,
    ):
        assert words in page
    assert f"/coppia/{mine.pair.public_id}/" in page
    assert str(foreign.pair.public_id) not in page
    assert f"/pratiche/{mail.order.code}/" in page
    assert ">99<" not in page
    assert '<span class="sr"> differenze</span>' in page


def test_a_check_without_differences_says_so_and_shows_its_lists(client):
    dates = {"this_update": NOW.isoformat(), "next_update": (NOW + timedelta(days=1)).isoformat()}
    checked(lists={"http://pki.example.org/pki/crl/cns/2026.crl": {"number": 1772442000, "entries": 3, **dates}})

    page = text(client.get(PAGE))

    assert "Tutto concorda" in page
    assert "<dt>Certificati controllati</dt><dd>12</dd>" in page
    assert "1772442000" in page


def test_an_earlier_check_has_its_own_page(client):
    differs(old := checked())
    checked()

    assert "Registro e CA discordano" not in text(client.get(PAGE))
    assert "Registro e CA discordano" in text(client.get(f"{PAGE}{old.uid}/"))
    assert client.get(f"{PAGE}00000000-0000-4000-8000-000000000000/").status_code == 404


def test_nobody_but_administrators_has_it(town, seat, desk):
    manager = town.employ("resp@cdrl.example.org", "Rita Resta", role="manager")

    assert seat(manager, town.service).get(PAGE).status_code == 404
    assert seat(manager, town.service).post(f"{PAGE}avvia/").status_code == 404
    assert desk.post(f"{PAGE}avvia/").status_code == 403
    assert not StatusCheck.objects.exists()
