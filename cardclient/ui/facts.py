"""Facts of cards, offers and cases as rows for `DetailRows`; nothing that a screenshot should not show."""

from __future__ import annotations

from datetime import datetime

from cardclient.contract import Case, Offer, Slot
from cardclient.ports import CardView
from cardclient.scanned import Scanned
from cardclient.ui.deadlines import day_text, deadline_text, instant
from cardclient.words import marked, tr

Row = tuple[str, str]
SLOTS = {Slot.AUTHENTICATION: marked("Autenticazione"), Slot.SIGNATURE: marked("Firma")}


def card_rows(scanned: Scanned) -> list[Row]:
    """Tell which card: serial first, as the guides do."""
    answer = scanned.answer
    return view_rows(scanned.view, answer.family_code or answer.family or "")


def view_rows(view: CardView, family: str = "") -> list[Row]:
    """Tell which card, as far as the card itself tells it."""
    return [
        (tr("Numero di serie"), view.serial),
        (tr("Sigla della carta"), family or view.family or ""),
        (tr("Lettore"), view.reader),
        (tr("Driver"), view.driver),
    ]


def certificate_rows(scanned: Scanned) -> list[Row]:
    """Tell the ends of the certificates the office knows."""
    return [
        (tr(SLOTS[each.slot]), tr("scadenza {day}", day=day_text(ends)))
        for each in scanned.answer.certificates
        if each.slot and (ends := instant(each.not_after))
    ]


def offer_rows(offer: Offer, now: datetime) -> list[Row]:
    """Tell what would be renewed, until when, and what comes out of it."""
    old, new = instant(offer.old_not_after), instant(offer.new_not_after)
    return [
        (tr("Servizio"), offer.service),
        (tr("Campagna"), offer.campaign or ""),
        (tr("Scadenza attuale"), deadline_text(old, now) if old else ""),
        (tr("Nuova scadenza"), day_text(new) if new else ""),
    ]


def case_rows(case: Case) -> list[Row]:
    """Tell what support asks for: case, card, centre."""
    return [
        (tr("Pratica"), case.code),
        (tr("Numero di serie"), case.card_serial),
        (tr("Stato"), case.state_label),
    ]


def centre_rows(case: Case) -> list[Row]:
    """Tell whom to turn to."""
    centre = case.centre
    return [(tr("CDRL"), centre.name), (tr("Telefono"), centre.phone), (tr("E-mail"), centre.email)]
