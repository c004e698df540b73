"""The first keys and certificates of a card, for demonstrations and tests: the same typed calls the renewal uses.

`python -m cardclient.personalise create|request|install …`, and for a simulated card in training, while the window
runs, `eject|insert|unplug|condition …`; README.md shows them.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from cardclient import csr
from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.ports import Card, CardKey, KeyKind, ObjectKind, ObjectRef
from cardclient.secret import Secret
from cardclient.simulated_state import Condition
from cardclient.simulator import SimulatedCard

# As the labels of containers on cards in the field read; the id is the label.
RSA_2048 = KeyKind("rsa", 2048)
HANDLED = ("eject", "insert", "unplug", "condition")
LABELS = {Slot.AUTHENTICATION: "CNS0", Slot.SIGNATURE: "DS0"}


def first_request(card: Card, slot: Slot, pin: Secret, *, kind: KeyKind = RSA_2048) -> bytes:
    """Make the first pair of a slot if it is not there, and return its certificate request (DER). Needs a login before.

    The request's subject is only the label: the authority decides the real one.
    """
    label = LABELS[slot]
    public = _present(card.keys(), label.encode()) or card.generate(label.encode(), label, kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
    key = ObjectRef(ObjectKind.PRIVATE_KEY, label.encode())
    return csr.build_request(public, subject, lambda data: card.sign(key, data, pin))


def first_certificate(card: Card, slot: Slot, certificate: bytes) -> None:
    """Have this certificate, and no other, beside the first key of a slot. Needs a login before."""
    label = LABELS[slot]
    if _present(card.keys(), label.encode()) is None:
        raise CardError("key-missing")
    written = [each for each in card.view().certificates if each.id == label.encode()]
    for each in written:
        if each.der != certificate:
            card.remove(each.ref)
    if not any(each.der == certificate for each in written):
        card.install(label.encode(), label, certificate)


def _present(keys: tuple[CardKey, ...], key_id: bytes) -> bytes | None:
    return next((key.spki for key in keys if key.id == key_id and key.kind is ObjectKind.PUBLIC_KEY), None)


def main(arguments: list[str] | None = None) -> int:
    """Make, request, install; see README.md. Returns 0, or 1 when the card refuses."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.action in HANDLED:
        if not options.simulated or (options.action == "condition" and not options.condition):
            parser.error("serve --simulated, e --condition per condition")
        _handle(SimulatedCard(options.simulated), options)
        return 0
    if not options.pin_file:
        parser.error("serve --pin-file")
    pin = _read_code(options.pin_file)
    try:
        if options.action == "create":
            _create(options, pin)
            return 0
        with contextlib.closing(_card(options)) as card:
            _write(card, options, pin)
    except CardError as problem:
        print(problem.code, file=sys.stderr)
        return 1
    return 0


def _create(options: argparse.Namespace, pin: Secret) -> None:
    puk = _read_code(options.puk_file)
    made = SimulatedCard.create(options.simulated, serial=options.serial, family=options.family, pin=pin, puk=puk)
    made.slow_down(options.generation_seconds)


def _handle(card: SimulatedCard, options: argparse.Namespace) -> None:
    """Do to the card what a hand or a hard life does; it needs no code."""
    match options.action:
        case "eject":
            card.eject()
        case "insert":
            card.insert()
        case "unplug":
            card.unplug()
        case _:
            card.put_into(options.condition)


def _write(card: Card, options: argparse.Namespace, pin: Secret) -> None:
    card.scan()
    if options.serial:
        card.choose(options.serial)
    card.login(pin)
    if options.action == "request":
        kind = KeyKind(options.key, options.bits)
        options.out.write_bytes(first_request(card, options.slot, pin, kind=kind))
    else:
        first_certificate(card, options.slot, options.certificate.read_bytes())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cardclient.personalise", description="First keys of a card.")
    parser.add_argument("action", choices=["create", "request", "install", *HANDLED])
    card = parser.add_mutually_exclusive_group(required=True)
    card.add_argument("--simulated", type=Path, metavar="FILE")
    card.add_argument("--module", metavar="PATH")
    parser.add_argument("--serial")
    parser.add_argument("--family", default="ACe 2021")
    parser.add_argument("--slot", type=Slot, choices=list(Slot), default=Slot.AUTHENTICATION)
    parser.add_argument("--key", choices=["rsa", "ec"], default="rsa")
    parser.add_argument("--bits", type=int, default=2048)
    parser.add_argument("--pin-file", type=Path)
    parser.add_argument("--puk-file", type=Path)
    parser.add_argument("--condition", type=Condition, choices=list(Condition))
    parser.add_argument(
        "--generation-seconds", type=float, default=0.0, help="quanto dura la generazione di una coppia"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--certificate", type=Path)
    return parser


def _card(options: argparse.Namespace) -> Card:
    return SimulatedCard(options.simulated) if options.simulated else Pkcs11Card(options.module)


def _read_code(path: Path) -> Secret:
    return Secret(path.read_text("utf-8").strip())


if __name__ == "__main__":
    raise SystemExit(main())
