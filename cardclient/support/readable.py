"""The report as people read it: verdict lines first, then the facts by subject, in the language chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cardclient.messages import message_for
from cardclient.readers.names import Interface
from cardclient.support.check import OK as SIGNS
from cardclient.support.check import KeyCheck
from cardclient.support.findings import Tone
from cardclient.support.report import Report
from cardclient.words import marked, tr

MARKS = {Tone.PROBLEM: "✗", Tone.WARNING: "!", Tone.OK: "✓"}
WIDTH = 24  # characters of the column of labels
NONE = "—"

TITLES = {
    "system": marked("Programma e computer"),
    "readers": marked("Lettori"),
    "modules": marked("Driver installati"),
    "cards": marked("Carta"),
    "network": marked("Rete e orologio"),
    "log": marked("Log"),
}
LABELS = {
    "platform": marked("Sistema"),
    "machine": marked("Architettura"),
    "python": marked("Python"),
    "libraries": marked("Librerie"),
    "service": marked("Servizio smart card"),
    "family": marked("Famiglia"),
    "driver": marked("Driver"),
    "version": marked("Versione"),
    "serial": marked("Seriale"),
    "reader": marked("Lettore"),
    "label": marked("Etichetta"),
    "model": marked("Modello"),
    "final": marked("Verdetto"),
    "can_generate": marked("Genera chiavi"),
    "module": marked("File del modulo"),
    "library": marked("Libreria del modulo"),
    "firmware": marked("Firmware"),
    "shortest_pin": marked("PIN più corto"),
    "longest_pin": marked("PIN più lungo"),
    "free_memory": marked("Memoria libera (byte)"),
    "free_pairs": marked("Coppie di chiavi libere"),
    "issuer": marked("Emesso da"),
    "holder": marked("Titolare"),
    "key": marked("Chiave"),
    "slot": marked("Uso"),
    "case": marked("Pratica"),
    "server": marked("Server"),
    "minimum_client": marked("Versione minima"),
    "debug": marked("Log dettagliato"),
    "on_disk": marked("Scritto su disco"),
    "runs": marked("Esecuzioni conservate"),
    "error": marked("Errore"),
}
VALUES = {
    "running": marked("in funzione"),
    "stopped": marked("non in funzione"),
    "refused": marked("non consentito"),
    "missing": marked("assente"),
    "ok": marked("a posto"),
    "tried": marked("già sbagliato una volta"),
    "last-try": marked("resta un solo tentativo"),
    "locked": marked("segnalato come bloccato"),
    "valid": marked("valido"),
    "expired": marked("scaduto"),
    "not-yet": marked("non ancora valido"),
    "authentication": marked("autenticazione"),
    "signature": marked("firma"),
    "proxy": marked("fino al proxy"),
    "through-proxy": marked("attraverso il proxy"),
    "direct": marked("senza proxy"),
    "none": marked("nessun proxy"),
    "system": marked("configurazione di sistema"),
    "complete": marked("completa"),
    "incomplete": marked("incompleta"),
    "broken": marked("non valida"),
    "good": marked("valido"),
    "revoked": marked("revocato"),
    "held": marked("sospeso"),
    "unknown": marked("sconosciuto all'ente"),
    "unreachable": marked("l'ente non è raggiungibile"),
    "unproven": marked("risposta non verificabile"),
    "not-told": marked("il certificato non indica dove chiederlo"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A subject's title and its lines of label and value; an empty label continues the line above."""

    title: str
    lines: tuple[tuple[str, str], ...]


def readable(report: Report) -> str:
    """Return the whole report as text."""
    at = datetime.fromisoformat(report.facts["at"]).astimezone()
    lines = [
        tr("Diagnostica di Sigillo, versione {version}", version=report.facts["client"]),
        tr("Eseguita il {day} alle {time}", day=f"{at:%d/%m/%Y}", time=f"{at:%H:%M}"),
        "",
    ]
    for each in report.findings:
        lines.append(f"{MARKS[each.tone]} {each.text}  [{each.code}]")
        lines += [f"  {tr('Cosa fare: {advice}', advice=_lowered(each.advice))}"] if each.advice else []
    for section in sections(report):
        lines += ["", section.title.upper()]
        lines += [f"  {label:<{WIDTH}}{value}".rstrip() for label, value in section.lines]
    return "\n".join(lines) + "\n"


def sections(report: Report) -> tuple[Section, ...]:
    """Return the facts by subject, for text and window; a subject that was left out has none."""
    makers = {
        "system": _plain,
        "readers": _readers,
        "modules": _modules,
        "cards": _cards,
        "network": _network,
        "log": _plain,
    }
    made = ((name, tuple(maker(report.facts[name]))) for name, maker in makers.items() if report.facts[name])
    return tuple(Section(tr(TITLES[name]), lines) for name, lines in made)


def check_lines(checks: Sequence[KeyCheck]) -> tuple[tuple[str, str], ...]:
    """Return what *Prova la carta* found, one line for each certificate: which one, and what came of it."""
    return tuple((tr("Certificato {serial}", serial=each.serial or NONE), _came_of(each)) for each in checks)


def value_of(value: object) -> str:
    """Return a fact as people read it."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return tr("sì") if value else tr("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or NONE
    return tr(VALUES[value]) if value in VALUES else str(value)


Line = tuple[str, str]


def _plain(facts: Mapping[str, Any]) -> Iterator[Line]:
    for name, value in facts.items():
        if name in LABELS:
            yield tr(LABELS[name]), value_of(value)


def _readers(facts: Mapping[str, Any]) -> Iterator[Line]:
    yield tr(LABELS["service"]), value_of(facts["service"])
    for number, each in enumerate(facts["readers"], 1):
        side = tr(" (senza contatto)") if each["interface"] == Interface.CONTACTLESS else ""
        yield tr("Lettore {number}", number=number), f"{each['name']}{side}"
        if each["atr"] is None:
            yield "", tr("nessuna carta")
        else:
            yield "", f"ATR {each['atr'] or NONE}"
            yield (
                "",
                f"{tr(LABELS['family'])} {each['family'] or NONE}, {tr(LABELS['driver'])} {each['driver'] or NONE}",
            )


def _modules(facts: Sequence[Mapping[str, Any]] | Mapping[str, str]) -> Iterator[Line]:
    if isinstance(facts, Mapping):
        yield from _plain(facts)
        return
    for each in facts:
        yield each["driver"], each["path"]
        if each["version"]:
            yield "", f"{tr(LABELS['version'])} {each['version']}"


def _cards(facts: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Iterator[Line]:
    if isinstance(facts, Mapping):
        told = message_for(facts["error"], facts.get("facts"))
        yield tr(LABELS["error"]), told.cause or told.text
        return
    for each in facts:
        yield from _plain({name: each[name] for name in ("serial", "reader", "family", "driver") if each[name]})
        yield "ATR", each["atr"] or NONE
        yield "PIN, PUK", f"{value_of(each['pin'])}, {value_of(each['puk'])}"
        if each["final"]:
            told = message_for(each["final"])
            yield tr(LABELS["final"]), told.cause or told.text
        yield from _plain({"label": each["label"]} if "label" in each else {})
        yield from _token(each["token"])
        for certificate in each["certificates"]:
            yield from _certificate(certificate)


def _token(facts: Mapping[str, Any]) -> Iterator[Line]:
    if "error" in facts:
        yield tr(LABELS["error"]), message_for(facts["error"]).text
        return
    yield tr("Modulo"), f"{facts['driver']} {facts['version']}".strip()
    yield from _plain({"model": facts["model"], "can_generate": facts["can_generate"]})
    shown = {"driver", "version", "model", "can_generate", "mechanisms"}
    yield from _plain({name: value for name, value in facts.items() if name not in shown})


def _certificate(facts: Mapping[str, Any]) -> Iterator[Line]:
    if "error" in facts:
        told = message_for(facts["error"])
        yield tr("Certificato {serial}", serial=NONE), told.cause or told.text
        return
    yield tr("Certificato {serial}", serial=facts["serial"]), f"{value_of(facts['slot'])}, {facts['key'] or NONE}"
    since, until = (datetime.fromisoformat(facts[name]) for name in ("not_before", "not_after"))
    yield (
        "",
        tr("dal {since} al {until}", since=f"{since:%d/%m/%Y}", until=f"{until:%d/%m/%Y}")
        + (f", {value_of(facts['validity'])}"),
    )
    yield "", f"{tr(LABELS['issuer'])} {facts['issuer']}"
    if facts.get("holder"):
        yield "", f"{tr(LABELS['holder'])} {facts['holder']}"
    if facts["case"]:
        yield "", f"{tr(LABELS['case'])} {facts['case']}"


def _network(facts: Mapping[str, Any]) -> Iterator[Line]:
    if "error" in facts:
        yield tr(LABELS["error"]), message_for(facts["error"]).text
        return
    yield tr(LABELS["server"]), facts["server"]
    yield "Proxy", value_of(facts["proxy"])
    for each in (*facts["legs"], *facts["hosts"]):
        yield value_of(each["name"]), _leg(each)
    difference = facts["clock_difference_seconds"]
    if difference is not None:
        yield tr("Orologio"), tr("{seconds} secondi di differenza con il servizio", seconds=f"{difference:+d}")
    if facts["minimum_client"]:
        yield tr(LABELS["minimum_client"]), facts["minimum_client"]


def _leg(facts: Mapping[str, Any]) -> str:
    where = f"{facts['host']}: " if facts["host"] != facts["name"] else ""
    if facts["code"] == SIGNS:
        time = f" ({facts['milliseconds']} ms)" if facts["milliseconds"] is not None else ""
        return f"{where}{tr('raggiunto')}{time}"
    told = message_for(facts["code"], facts.get("facts"))
    return f"{where}{told.cause or told.text}"


def _came_of(check: KeyCheck) -> str:
    told = message_for(check.signature)
    parts = [tr("la chiave firma") if check.signature == SIGNS else told.cause or told.text]
    if check.slot:
        parts.insert(0, value_of(check.slot))
    if check.standing:
        parts.append(tr("catena {chain}", chain=value_of(check.standing.chain)))
        parts.append(tr("stato: {status}", status=value_of(check.standing.status)))
    return "; ".join(parts)


def _lowered(advice: str) -> str:
    return advice[:1].lower() + advice[1:]
