"""S/MIME › Pratiche and Verifiche: evidence beside data, decided through the use cases, within centre and service."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cms.models import Agreement, Event, Service, Stock
from cms.states import Role
from smime.admin import words
from smime.models import EvidenceFile, Finding, Order, SmimeCertificate
from smime.services import checks, evidence
from tests.panel.conftest import confirmed
from tests.panel.town import NOW
from tests.smime.corpus import pdf
from tests.smime.desk import office
from tests.smime.mailed import check_of

QUEUE, ORDERS = "/pannello/verifiche/", "/pannello/pratiche/"
ALL = ["smime-mv", "smime-ov", "smime-sv", "smime-iv"]
EXTRACT = {
    "source": "business-register",
    "reference": "visura T 1",
    "is_active": "on",
    "legal_name": "Esempio S.r.l.",
    "identifier": "VATIT-07643520567",
    "contact": "+39 06 1234567",
    "contact_source": "register",
}


@pytest.fixture
def smime(town):
    service = Service.objects.create(code="smime", name="S/MIME del CDRL", flow="smime", types=ALL)
    Agreement.objects.create(centre=town.centre, service=service, approval="automatic", low_stock_threshold=1)
    Stock.objects.bulk_create(Stock(centre=town.centre, service=service, type=each, free=5) for each in ALL)
    return service


@pytest.fixture
def order(town, smime):
    return office.ordered("ov", at=NOW - timedelta(hours=5), centre=town.centre, service=smime)


@pytest.fixture
def desk(town, seat, smime):
    return confirmed(seat(town.operator, smime))


@pytest.fixture
def second(town, seat, smime):
    return confirmed(seat(town.employ("secondo@cdrl.example.org", "Sara Seconda"), smime))


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def page(order: Order, kind: str) -> str:
    return f"{QUEUE}{check_of(order, kind).pk}/"


def accept(client, order, kind, **said):
    check = check_of(order, kind)
    data = {"seen_round": check.round, "accept": "1", "note": "", **said}
    return client.post(page(order, kind), data, follow=True)


def call_at(at) -> dict[str, str]:
    local = at + timedelta(hours=1)  # Rome, in winter
    return {
        "contact": "+39 06 1234567",
        "contact_source": "register",
        "called_at": f"{local:%Y-%m-%dT%H:%M}",
        "answered_by": "Dora Centralino",
        "call_outcome": "confirmed",
    }


def test_the_queue_shows_what_waits_with_counts_and_filters(desk, order):
    said = text_of(desk.get(QUEUE))
    assert said.count(order.code) == 4  # twice for each of two checks: for eyes and for ears
    assert "Tutte 2" in said
    narrowed = text_of(desk.get(f"{QUEUE}?tipo=poteri"))
    assert narrowed.count(order.code) == 2
    assert "Nessuna verifica con questo filtro" in text_of(desk.get(f"{QUEUE}?tipo=dubbi"))


def test_the_page_shows_data_beside_the_form_and_suggests_the_identifier(desk, order):
    answer = desk.get(page(order, "organisation"))
    said = text_of(answer)
    assert "07643520567" in said
    assert 'value="VATIT-07643520567"' in answer.content.decode()
    assert "Accetta la verifica" in said


def test_two_persons_bring_an_order_to_issuance(desk, second, order):
    checks.pass_check(check_of(order, "mailbox"), at=NOW - timedelta(hours=4), method="prova")
    assert "Verifica accettata" in text_of(accept(desk, order, "organisation", **EXTRACT))
    authority = desk.get(page(order, "authority")).content.decode()
    assert 'value="+39061234567"' in authority
    assert "Verifica accettata" in text_of(accept(desk, order, "authority", **call_at(NOW - timedelta(hours=1))))

    assert "1 pratica ha superato tutte le verifiche" in text_of(desk.get(QUEUE))
    told = text_of(desk.get(f"{ORDERS}{order.code}/"))
    assert "la approva un'altra persona" in unescape(told)
    assert "Approva l'emissione" not in unescape(told)
    assert "Approva l'emissione" in unescape(text_of(second.get(f"{ORDERS}{order.code}/")))
    refused = text_of(desk.post(f"{ORDERS}{order.code}/approva/", follow=True))
    assert "smime-second-person-needed" in refused
    assert "Emissione approvata" in text_of(second.post(f"{ORDERS}{order.code}/approva/", follow=True))
    order.refresh_from_db()
    assert order.state == "approved"


def test_a_refusal_leaves_the_form_as_typed_and_stands_in_the_events(desk, order):
    answer = accept(desk, order, "organisation", **EXTRACT | {"reference": ""})
    assert answer.status_code == 422
    assert "source-missing" in text_of(answer)
    assert 'value="Esempio S.r.l."' in answer.content.decode()
    assert Event.objects.get(verb="smime.decision-refused").reason == "source-missing"


def test_a_call_nobody_answered_is_put_on_record_without_a_decision(desk, order):
    said = call_at(NOW - timedelta(hours=1)) | {"call_outcome": "not-reached", "answered_by": ""}
    check = check_of(order, "authority")
    desk.post(page(order, "authority"), {"seen_round": check.round, "note": "", **said})
    assert Finding.objects.get().outcome == "note"
    assert check_of(order, "authority").state == "in-review"
    assert "Nessuna risposta" in text_of(desk.get(page(order, "authority")))


@pytest.mark.parametrize(("act", "state"), [("documenti", "waiting-customer"), ("respingi", "failed")])
def test_asking_and_refusing_want_words_for_the_customer(desk, order, act, state):
    address = f"{page(order, 'organisation')}{act}/"
    assert desk.get(address).status_code == 200
    assert "Scriva al cliente" in text_of(desk.post(address, {"reason": ""}))
    desk.post(address, {"reason": "Serve una visura aggiornata."})
    assert check_of(order, "organisation").state == state


def test_who_has_it_is_seen_by_all(desk, second, town, order):
    desk.post(f"{page(order, 'organisation')}prendi/")
    assert str(town.operator) in text_of(second.get(QUEUE))
    assert order.code in text_of(desk.get(f"{QUEUE}?mie=1"))
    desk.post(f"{page(order, 'organisation')}lascia/")
    assert check_of(order, "organisation").held_by is None


def test_rejecting_an_order_closes_it(desk, order):
    assert desk.get(f"{ORDERS}{order.code}/respingi/").status_code == 200
    desk.post(f"{ORDERS}{order.code}/respingi/", {"reason": "La società è cessata."})
    order.refresh_from_db()
    assert (order.state, order.close_reason) == ("rejected", "La società è cessata.")


def test_the_order_page_tells_everything(desk, order):
    said = text_of(desk.get(f"{ORDERS}{order.code}/"))
    for word in (
        order.mailbox,
        "07643520567",
        "Poteri del richiedente",
        "Eventi",
        "Messaggi",
        "Conferma della casella",
    ):
        assert word in said


@pytest.mark.parametrize("by", ["code", "mailbox", "buyer"])
def test_orders_are_found_by_code_mailbox_and_customer(desk, order, by):
    typed = {"code": order.code.lower(), "mailbox": order.mailbox, "buyer": order.buyer.full_name}[by]
    answer = desk.post(f"{ORDERS}cerca/", {"cerca": typed}, follow=True)
    assert order.code in text_of(answer)
    assert urlencode({"": typed})[1:] not in answer.request["QUERY_STRING"]


def test_an_auditor_reads_and_decides_nothing(town, seat, smime, order):
    reader = confirmed(seat(town.employ("revisore@cdrl.example.org", "Rita Revisora", role=Role.AUDITOR), smime))
    said = text_of(reader.get(page(order, "organisation")))
    assert "Può consultare questa verifica" in said
    assert "Accetta la verifica" not in said
    accept(reader, order, "organisation", **EXTRACT)
    reader.post(f"{ORDERS}{order.code}/respingi/", {"reason": "No."})
    order.refresh_from_db()
    assert (check_of(order, "organisation").state, order.state) == ("in-review", "checking")


def test_another_centres_order_does_not_exist(town, seat, smime, order):
    foreign = town.found("cdrl-altro", "Altro Ordine di Esempio")
    Agreement.objects.create(centre=foreign, service=smime, approval="automatic")
    stranger = confirmed(seat(town.employ("altro@cdrl.example.org", "Altra Persona", centre=foreign), smime))
    file = office.prove_with_paper(order)
    for address in (
        f"{ORDERS}{order.code}/",
        f"{ORDERS}{order.code}/approva/",
        f"{ORDERS}{order.code}/file/{file.uid}/",
        f"{ORDERS}{order.code}/file/{file.uid}/0.png",
        page(order, "organisation"),
    ):
        assert stranger.get(address).status_code == 404
    assert order.code not in text_of(stranger.get(QUEUE)) + text_of(stranger.get(ORDERS))


def test_a_paper_is_seen_once_the_scanner_has_passed_it_and_only_painted_anew(desk, order):
    file = office.prove_with_paper(order, is_scanned=False)
    picture, original = (f"{ORDERS}{order.code}/file/{file.uid}/{end}" for end in ("0.png", ""))
    assert (desk.get(picture).status_code, desk.get(original).status_code) == (404, 404)

    EvidenceFile.objects.filter(pk=file.pk).update(scan="clean")
    answer = desk.get(picture)
    assert (answer["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")
    assert desk.get(original)["Content-Disposition"].startswith("attachment")


def test_a_paper_that_came_by_post_is_attached_to_the_order(desk, order):
    sent = SimpleUploadedFile("visura.pdf", pdf(), "application/pdf")
    answer = desk.post(f"{ORDERS}{order.code}/allega/", {"file": sent}, follow=True)

    assert "Documento allegato" in text_of(answer)
    file = EvidenceFile.objects.get(order=order)
    assert (file.kind, file.name, evidence.read_file(file)) == ("officer-evidence", "visura.pdf", pdf())


@pytest.mark.parametrize(
    "page_of", ["", "{code}/", "{code}/allega/", "{code}/respingi/", "{code}/certificati/1/revoca/"]
)
def test_the_sidebar_marks_one_page_as_the_present_one(desk, order, page_of):
    certificate = SmimeCertificate(order=order, edition=1, serial="1f3a", issuer_key_id="ab", der=b"")
    certificate.fingerprint = certificate.spki_sha256 = "0" * 64
    certificate.not_before = certificate.issued_at = NOW
    certificate.not_after = NOW + timedelta(days=365)
    certificate.save()
    answer = desk.get(ORDERS + page_of.format(code=order.code))
    marked = re.findall(r'href="([^"]+)" aria-current="page"', answer.content.decode())
    assert marked == [ORDERS]


@pytest.mark.parametrize("kind", ["mailbox", "consent"])
def test_what_the_recipient_alone_does_is_said_to_be_his(desk, town, smime, kind):
    order = office.ordered("sv", at=NOW, centre=town.centre, service=smime)
    assert "solo il destinatario" in text_of(desk.get(page(order, kind)))


def test_marks_of_the_provider_are_said_in_words_and_unknown_ones_stand_as_they_are():
    assert words.mismatch("NAME") == "Il nome sul documento non è quello digitato."
    assert words.mismatch("SOMETHING_NEW") == "Segnalazione del fornitore: SOMETHING_NEW"


def test_where_no_smime_is_sold_the_sidebar_does_not_speak_of_it(town, seat):
    said = seat(town.operator, town.service).get("/pannello/contatori/").content.decode()
    assert QUEUE not in said
    assert ORDERS not in said


class TestReopeningTheBiometricWay:
    """On the page of the identity check that was led to the alternative, and nowhere else; a reason is required."""

    @pytest.fixture
    def led(self, town, smime):
        order = office.ordered("sv", at=NOW - timedelta(hours=5), centre=town.centre, service=smime)
        for kind in ("mailbox", "consent"):
            checks.pass_check(check_of(order, kind), at=NOW - timedelta(hours=4), method="prova")
        identity = check_of(order, "identity")
        identity.path = "signature"
        identity.save()
        checks.begin(identity, at=NOW - timedelta(hours=3))
        return order

    def test_a_reason_is_required_and_stands_in_the_events(self, desk, led):
        address = f"{page(led, 'identity')}biometrico/"
        assert address in desk.get(page(led, "identity")).content.decode()
        assert "due tentativi al massimo" in text_of(desk.get(address))
        assert "Scriva perché" in text_of(desk.post(address, {"reason": " "}))
        assert check_of(led, "identity").path == "signature"

        said = text_of(desk.post(address, {"reason": "Ha un documento nuovo."}, follow=True))
        assert "Riconoscimento biometrico riaperto." in said
        assert check_of(led, "identity").path == "biometric"
        event = Event.objects.get(verb="smime.biometric-reopened")
        assert event.reason == "Ha un documento nuovo."
        assert desk.get(address).status_code == 404
        assert "biometrico/" not in desk.get(page(led, "identity")).content.decode()

    def test_an_auditor_is_not_offered_it(self, town, seat, smime, led):
        auditor = confirmed(seat(town.employ("revisore@cdrl.example.org", "Rita Revisora", role=Role.AUDITOR), smime))
        address = f"{page(led, 'identity')}biometrico/"
        assert address not in auditor.get(page(led, "identity")).content.decode()
        auditor.post(address, {"reason": "Prova."})
        assert check_of(led, "identity").path == "signature"
