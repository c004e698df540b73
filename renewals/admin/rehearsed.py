"""What a rehearsed row says: the same words on the page and in the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.admin.exports import Cell
from cms.admin.words import Badge
from cms.states import CertificateType, HoldCause
from renewals.admin import clockwork
from renewals.admin.letters import title_of
from renewals.services.foretold import Foretold, Letter
from renewals.services.rounds import Sweep, Turn, Wish

_BADGES = {
    Sweep.OPEN: ("neutral", "mail"),
    Sweep.EXPIRE: ("neutral", "clock"),
    Sweep.SUSPEND: ("danger", "lock"),
    Sweep.LAPSE: ("danger", "ban"),
    Sweep.LAPSE_HOLD: ("danger", "ban"),
}


def badge(turn: Turn) -> Badge:
    """What happens, in one word; a row to which nothing happens says so."""
    words = {
        Sweep.OPEN: _("Si apre"),
        Sweep.EXPIRE: _("Scade"),
        Sweep.SUSPEND: _("Sospesa"),
        Sweep.LAPSE: _("Revocata"),
        Sweep.LAPSE_HOLD: _("Revocato"),
    }
    if is_idle(turn):
        return Badge("neutral", "minus-circle", _("Non si apre"))
    if turn.is_over:
        return Badge("neutral", "clock", _("Concluso"))
    return Badge(*_BADGES[turn.sweep], words[turn.sweep])


def effects(turn: Turn) -> list[str]:
    """Every effect, a sentence each."""
    return [said for say in (_of_case, _of_certificates, _of_stock) for said in say(turn)]


def mail(turn: Turn) -> str:
    """Title of the mail that the holder gets; empty for none."""
    return title_of(turn.mail.message) if turn.mail else ""


def then(turn: Turn) -> str:
    """What the clock does next to the case, as it then stands; empty for nothing more."""
    case = turn.case
    if case is None or case.due_at is None:
        return ""
    return _("%(what)s: %(when)s") % {"what": clockwork.short(case), "when": clockwork.moment(case.due_at)}


def told(row: Foretold) -> list[str]:
    """Every notice that the holder would get, with day, hour and what is then left; why there is none."""
    if not row.holder.email:
        return [_("Il titolare non ha una casella e-mail: non riceve avvisi.")]
    if not row.letters:
        return [_("Gli stessi avvisi partono per l'altro certificato della coppia o per la pratica.")]
    return [f"{clockwork.moment(letter.at)}: {_left(letter)}" for letter in row.letters]


def told_badge(row: Foretold) -> Badge:
    """Whether he is written to, in one word."""
    if row.letters:
        return Badge("neutral", "mail", _("Avvisato"))
    return Badge("neutral", "minus-circle", _("Nessun avviso"))


def told_mail(row: Foretold) -> str:
    """Title of his letters; empty for none."""
    return title_of(row.letters[0].message) if row.letters else ""


def told_next(row: Foretold) -> str:
    """When the holder is written to after the instant; empty for never."""
    return _("Avviso: %(when)s") % {"when": clockwork.moment(row.next_at)} if row.letters and row.next_at else ""


def told_cells(row: Foretold, say: Callable[[datetime], str]) -> Iterator[Sequence[Cell]]:
    """Rows of a file, one for each notice, without the person."""
    for letter in row.letters:
        code, serial = row.case.code if row.case else "", row.card.serial if row.card else ""
        yield [str(row.sweep.label), say(letter.at), code, serial, _left(letter), title_of(letter.message), ""]


def _left(letter: Letter) -> str:
    left = ngettext("manca %(days)s giorno", "mancano %(days)s giorni", letter.days)
    return left % {"days": letter.days}


def is_idle(turn: Turn) -> bool:
    """Whether the sweep looks at the row and changes nothing that anybody sees."""
    return turn.sweep == Sweep.OPEN and turn.case is None


def head() -> list[str]:
    """Titles of the columns of a file."""
    return [
        _("Azione"),
        _("Dovuta dal"),
        _("Pratica"),
        _("Carta"),
        _("Effetti"),
        _("E-mail al titolare"),
        _("Poi"),
    ]


def cells(turn: Turn, say: Callable[[datetime], str]) -> Sequence[Cell]:
    """One row of a file, without the person."""
    return [
        str(turn.sweep.label),
        say(turn.due_at),
        turn.case.code if turn.case and turn.sweep != Sweep.OPEN else "",
        turn.card.serial if turn.card else "",
        " ".join(effects(turn)),
        mail(turn),
        then(turn),
    ]


def _of_case(turn: Turn) -> list[str]:
    if turn.sweep == Sweep.OPEN:
        if turn.case is not None:
            return [_("Si apre la pratica di rinnovo.")]
        return [_(turn.obstacle.text)] if turn.obstacle else [_("La pratica è già aperta.")]
    if turn.sweep == Sweep.EXPIRE:
        return [_("La pratica passa a Scaduto.")]
    if turn.sweep == Sweep.LAPSE:
        return [_("La pratica passa da Completato a Scaduto.")]
    if turn.hold is not None:
        cause = _(HoldCause(turn.hold.cause).label).lower()
        said = [_("Finisce la sospensione per %(cause)s.") % {"cause": cause}]
        return [*said, _("Alla pratica non resta alcuna scadenza.")] if turn.withdraws else said
    return []


def _of_certificates(turn: Turn) -> list[str]:
    if turn.wishes and turn.sweep == Sweep.SUSPEND:
        return [_("Certificati sospesi: %(which)s.") % {"which": _types(turn.wishes)}]
    if turn.wishes:
        return [_("Certificati revocati per sempre: %(which)s.") % {"which": _types(turn.wishes)}]
    if turn.sweep == Sweep.SUSPEND and turn.holds:
        return [_("I certificati sono già sospesi: si aggiunge questa causa.")]
    if turn.sweep in {Sweep.SUSPEND, Sweep.LAPSE}:
        return [_("Nessun certificato da cambiare: sono già revocati.")]
    if turn.is_over:
        return [_("Il certificato è già scaduto: non viene revocato.")]
    return [_("La revoca è già stata chiesta.")] if turn.sweep == Sweep.LAPSE_HOLD else []


def _of_stock(turn: Turn) -> list[str]:
    said = []
    if turn.released:
        said.append(_("Tornano disponibili: %(which)s.") % {"which": _labels(turn.released)})
    if turn.debited:
        said.append(_("Scaricati, perché già emessi: %(which)s.") % {"which": _labels(turn.debited)})
    return said


def _types(wishes: Sequence[Wish]) -> str:
    return _labels({wish.certificate.type for wish in wishes})


def _labels(types: frozenset[str] | set[str]) -> str:
    return ", ".join(_(CertificateType(type_).label) for type_ in sorted(types))
