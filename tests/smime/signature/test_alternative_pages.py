"""The screens of the alternative as the guide has them, from the mailed link to the answer."""

from __future__ import annotations

from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.demo.trust_scheme import Wish
from smime.models import EvidenceFile, MailedLink, SignatureForm, SignatureReport
from smime.policy_desk import Document
from smime.services import desk, signature_verdicts
from smime.states import CheckKind, CheckState, ScanState
from tests.smime import mailed
from tests.smime.desk import office
from tests.smime.signature import orders

pytestmark = pytest.mark.usefixtures("committed")
CLICK = {"azione": "conferma"}


class Recipient:
    """Walks the pages behind one link."""

    def __init__(self, client, order):
        self.client, self.order = client, order
        self.start = f"/area-clienti/link/alternativa/{orders.link_of(order)}/"

    def get(self, page="", **named):
        return self.client.get(self.start + page, **named)

    def says(self, tax_code=orders.DATA.tax_code, given_name="Giulia", surname="Bianchi"):
        typed = {"given_name": given_name, "surname": surname, "tax_code": tax_code}
        return self.client.post(self.start, typed | CLICK)

    def takes(self):
        return self.client.post(self.start + "controllo/", CLICK)

    def sends(self, content, name="modulo.pdf", kind="application/pdf"):
        file = SimpleUploadedFile(name, content, kind)
        return self.client.post(self.start + "file/", CLICK | {"file": file})

    def is_judged(self):
        report = SignatureReport.objects.latest("pk")
        EvidenceFile.objects.filter(pk=report.file_id).update(scan=ScanState.CLEAN, next_attempt_at=None)
        signature_verdicts.validate(report.pk, at=orders.NOW)


@pytest.fixture
def recipient(tmp_path, settings, committed, client, clock):
    clock.instant = orders.NOW
    orders.lists_loaded(tmp_path / "lists", settings)
    return Recipient(client, orders.order_of("sv"))


def text(response):
    return response.content.decode()


def test_the_guides_steps_lead_from_the_data_to_the_estimate(recipient):
    data = recipient.get()
    assert "Invia la richiesta" in text(data)
    assert "Codice fiscale" in text(data)

    check = recipient.client.get(recipient.says().url)
    for word in ("Giulia", "Bianchi", "BNCGLI85C41F205O", "Torna indietro", "Scarica il modulo", "Prosegui"):
        assert word in text(check)

    form = recipient.takes()
    assert form.headers["Content-Disposition"].startswith("attachment")
    assert form.content.startswith(b"%PDF-")

    upload = recipient.get("file/")
    assert "Seleziona file" in text(upload)
    assert "Invia la richiesta" in text(upload)

    outcome = recipient.client.get(recipient.sends(orders.signed(form.content)).url)
    assert "3-5 giorni lavorativi" in text(outcome)
    assert "tra giovedì 5 marzo 2026 e lunedì 9 marzo 2026" in text(outcome)

    recipient.is_judged()
    assert "Un operatore sta esaminando" in text(recipient.get("esito/"))


def test_a_refused_file_names_both_grounds_and_offers_another_try(recipient):
    recipient.says()
    form = recipient.takes().content
    recipient.sends(orders.signed(form, orders.signer(Wish(qualified=False))))
    recipient.is_judged()

    page = text(recipient.get("esito/"))

    assert "La firma è stata apposta con strumenti non configurati per la FEQ, per esempio Adobe Sign." in page
    assert "Il certificato di firma non è un certificato qualificato." in page
    assert "certificate-unqualified" in page
    assert "Carica un altro file" in page
    assert recipient.sends(orders.signed(form)).status_code == 302


def test_the_reason_is_there_again_for_whoever_comes_back_by_the_mail(recipient):
    recipient.says()
    form = recipient.takes().content
    recipient.sends(orders.signed(form, orders.signer(Wish(qualified=False))))
    recipient.is_judged()

    for page in ("", "file/"):
        said = text(recipient.get(page))
        assert "La firma è stata apposta con strumenti non configurati per la FEQ" in said
        assert "Il certificato di firma non è un certificato qualificato." in said

    recipient.sends(orders.signed(form))
    assert "non è stato accettato" not in text(recipient.get("file/"))


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (Wish(), "La firma è valida"),
        (Wish(surname="Verdi"), "Nome o cognome nel certificato di firma sono scritti diversamente."),
    ],
)
def test_what_an_officer_has_refused_is_said_in_his_words_with_what_was_found(recipient, wish, found):
    recipient.says()
    recipient.sends(orders.signed(recipient.takes().content, orders.signer(wish)))
    recipient.is_judged()
    report = SignatureReport.objects.get()
    said = {"document": Document(), "ticked": (), "reason": "Il documento inviato è scaduto."}
    officer = office.officer(recipient.order)
    desk.decide_signature(report.pk, outcome="refused", operator=officer, now=orders.NOW, **said)

    page = text(recipient.get("esito/"))
    assert "Il modulo firmato non è stato accettato" in page
    for words in ("Il documento inviato è scaduto.", found, report.code, "Carica un altro file"):
        assert words in unescape(page)
    recipient.client.force_login(recipient.order.buyer)
    assert "Il documento inviato è scaduto." in text(
        recipient.client.get(f"/area-clienti/pratiche/{recipient.order.uid}/")
    )


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(recipient, method):
    recipient.says()
    before = list(MailedLink.objects.values()), list(SignatureForm.objects.values())

    for page in ("", "controllo/", "file/", "esito/") * 3:
        assert getattr(recipient.client, method)(recipient.start + page).status_code in {200, 302}

    assert (list(MailedLink.objects.values()), list(SignatureForm.objects.values())) == before


def test_pages_lead_back_to_the_step_that_is_missing(recipient):
    for page in ("controllo/", "file/", "esito/"):
        assert recipient.get(page).url == recipient.start


def test_going_back_finds_what_was_typed(recipient):
    recipient.says()

    assert 'value="BNCGLI85C41F205O"' in text(recipient.get())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tax_code": "BNCGLI85C41F205X"}, "codice fiscale"),
        ({"tax_code": ""}, "Scriva il codice fiscale."),
        ({"surname": "Verdi"}, "non corrispondono a quelli della pratica"),
    ],
)
def test_wrong_data_are_said_beside_the_field(recipient, typed, said):
    answer = recipient.says(**typed)

    assert answer.status_code == 422
    assert said in text(answer)
    assert not SignatureForm.objects.exists()


JUNK = [(b"", "modulo.pdf"), (b"junk", "modulo.p7m"), (b"MZ\x00", "modulo.exe"), (b"%PDF-1.7 junk", "modulo.pdf")]


@pytest.mark.parametrize(("content", "name"), JUNK, ids=range(len(JUNK)))
def test_junk_is_said_and_never_an_error_of_ours(recipient, content, name):
    recipient.says()

    answer = recipient.sends(content, name)

    assert answer.status_code == 422
    assert not SignatureReport.objects.exists()


def test_an_upload_without_a_file_is_said(recipient):
    recipient.says()

    assert recipient.client.post(recipient.start + "file/", CLICK).status_code == 422


def test_foreign_and_ended_links_open_nothing(recipient, clock):
    assert recipient.client.get("/area-clienti/link/alternativa/xxxx/").status_code in {404, 409}

    clock.instant = orders.NOW.replace(year=2027)
    answer = recipient.get()
    assert answer.status_code == 409
    assert "Inviami un altro collegamento" in text(answer)


def test_a_new_link_is_mailed_to_whoever_holds_an_old_one(recipient, clock):
    clock.instant = orders.NOW.replace(year=2027)

    answer = recipient.client.post(recipient.start + "nuovo/", CLICK)

    assert "Email inviata" in text(answer)
    assert len(mailed.mails(recipient.order, "smime-alternative")) == 2


def test_pages_are_not_kept_and_speak_english(recipient):
    answer = recipient.get(headers={"Accept-Language": "en"})

    assert "no-store" in answer.headers["Cache-Control"]
    for word in ("Send the request", "Name", "Which signature is accepted"):
        assert word in text(answer)


def test_the_way_is_closed_where_the_identity_goes_by_face(recipient):
    check = mailed.check_of(recipient.order, CheckKind.IDENTITY)
    check.path = "biometric"
    check.save(update_fields=["path"])

    assert recipient.get().status_code == 409
    assert mailed.check_of(recipient.order, CheckKind.IDENTITY).state == CheckState.WAITING_CUSTOMER


def test_the_customer_has_the_link_sent_again_to_the_recipient(recipient, clock):
    recipient.client.force_login(recipient.order.buyer)
    clock.instant = orders.NOW.replace(hour=11)
    page = f"/area-clienti/pratiche/{recipient.order.uid}/"

    assert "invia-di-nuovo/identity/" in text(recipient.client.get(page))
    assert recipient.client.post(page + "invia-di-nuovo/identity/").status_code == 302

    first, again = mailed.mails(recipient.order, "smime-alternative")
    assert mailed.token_in(first) != mailed.token_in(again)
