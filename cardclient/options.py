"""The command line of `sigillo-card`. No option takes a code: codes come from a prompt, a file or a descriptor."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from cardclient import __version__
from cardclient.errors import ClientError
from cardclient.ports import SecretKind
from cardclient.secret import Secret
from cardclient.terminal import Answers

CONTACTS = ("email", "mobile", "street", "postcode", "town", "province")
LARGEST_CODE_FILE = 256
SERVER = "http://localhost:8000"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; wrong use ends the program with status 2."""
    return parser().parse_args(arguments)


def parser() -> argparse.ArgumentParser:
    """Describe the three commands."""
    top = argparse.ArgumentParser(prog="sigillo-card", description="Rinnovo dei certificati di una smart card.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("scan", "mostra le carte inserite e se sono rinnovabili"),
        ("renew", "rinnova la carta, o riprende un rinnovo interrotto"),
        ("diagnose", "raccoglie le informazioni per l'assistenza"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        _add_common(command)
        if name == "renew":
            _add_renewal(command)
    return top


def _add_common(command: argparse.ArgumentParser) -> None:
    card = command.add_mutually_exclusive_group(required=True)
    card.add_argument("--module", type=_module, help="percorso completo del modulo PKCS#11 della carta")
    card.add_argument("--simulated", action="append", metavar="FILE", help="carta simulata (ripetibile)")
    command.add_argument("--slot", type=int, help="posizione del lettore nell'elenco del modulo")
    command.add_argument("--server", default=SERVER, help="indirizzo del servizio di rinnovo")
    command.add_argument("--ca-file", help="certificati della CA del servizio, al posto di quelli di sistema")
    command.add_argument("--json", action="store_true", help="scrive un oggetto JSON sull'uscita standard")
    command.add_argument("--log", metavar="FILE", help="scrive il log delle operazioni")
    command.add_argument("--no-input", action="store_true", help="non chiede nulla: si ferma se manca un dato")


def _add_renewal(command: argparse.ArgumentParser) -> None:
    for kind in SecretKind:
        source = command.add_mutually_exclusive_group()
        source.add_argument(f"--{kind}-file", metavar="FILE", help=f"file con il {kind}")
        source.add_argument(f"--{kind}-fd", type=int, metavar="N", help=f"descrittore da cui leggere il {kind}")
    command.add_argument("--use-last-try", action="store_true", help="usa il PIN anche se è l'ultimo tentativo")
    command.add_argument("--certificate", metavar="SHA256", help="quale certificato rinnovare, se sono più d'uno")
    command.add_argument("--card", metavar="SERIALE", help="quale carta, se sono più d'una")
    for name in CONTACTS:
        command.add_argument(f"--{name}")
    command.add_argument("--confirmation-code", metavar="CODICE", help="codice ricevuto alla nuova email")
    command.add_argument("--accept-all", action="store_true", help="accetta i testi e firma il modulo senza chiedere")
    command.add_argument("--form-out", type=Path, metavar="FILE", help="salva il modulo prima di firmarlo")


def answers(options: argparse.Namespace) -> Answers:
    """Collect what the command line answers; reads code files once. Raises ClientError("usage") for unreadable ones."""
    if options.command != "renew":
        return Answers()
    secrets = {kind: code for kind in SecretKind if (code := _code(options, kind.replace("-", "_")))}
    return Answers(
        secrets=secrets,
        contacts={name: value for name in CONTACTS if (value := getattr(options, name))},
        confirmation_code=options.confirmation_code,
        accept_all=options.accept_all,
        use_last_try=options.use_last_try,
        certificate=options.certificate,
        card=options.card,
        form_out=options.form_out,
    )


def _code(options: argparse.Namespace, name: str) -> Secret | None:
    path, descriptor = getattr(options, f"{name}_file"), getattr(options, f"{name}_fd")
    if path is None and descriptor is None:
        return None
    try:
        with Path(path).open("rb") if path else os.fdopen(descriptor, "rb") as source:
            text = source.read(LARGEST_CODE_FILE).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ClientError("usage", operation=f"{name}-source") from None
    return Secret(text)


def _module(text: str) -> str:
    """Take a PKCS#11 module by full path only: what is loaded decides who sees the PIN."""
    if not Path(text).is_absolute():
        raise argparse.ArgumentTypeError("serve il percorso completo del modulo")
    return text
