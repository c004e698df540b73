"""The command line of `sigillo-card`. No option takes a code: codes come from a prompt, a file or a descriptor."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cardclient import __version__
from cardclient.errors import ClientError
from cardclient.ports import SecretKind
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind, Store, user_folder
from cardclient.secret import Secret
from cardclient.terminal import Answers
from cardclient.words import Language, marked, set_language, tr

CONTACTS = ("email", "mobile", "street", "postcode", "town", "province")
LARGEST_CODE_FILE = 256
WINDOW = "window"
COMMANDS = {
    "scan": marked("mostra le carte inserite e se sono rinnovabili"),
    "renew": marked("rinnova la carta, o riprende un rinnovo interrotto"),
    "diagnose": marked("raccoglie le informazioni per l'assistenza"),
    "check": marked("prova la carta: ogni chiave firma, catena e stato dei certificati sono verificati"),
    "pin": marked("cambia il PIN, o lo sblocca con il PUK"),
    WINDOW: marked("apre la finestra del programma"),
}
ASKS_THE_OFFICE = frozenset({"scan", "renew"})  # a diagnosis without a server tells everything else
# Which codes a command may be given.
CODES = {
    "renew": tuple(SecretKind),
    "check": (SecretKind.PIN,),
    "pin": tuple(SecretKind),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; wrong use ends the program with status 2.

    What it leaves open comes from the preferences' file (`options.preferences`); the language is chosen on the way.
    """
    early = _early().parse_known_args(arguments)[0]
    folder = early.settings or user_folder()
    preferences = Store(folder).load()
    set_language(early.language or preferences.language)
    options = parser().parse_args(arguments)
    options.settings = folder
    if options.command != WINDOW:
        options.preferences = _joined(preferences, options)
        options.server = options.preferences.server
        if options.command in ASKS_THE_OFFICE and not options.server:
            parser().error(tr("serve l'indirizzo del servizio di rinnovo: --server https://..."))
    return options


def parser() -> argparse.ArgumentParser:
    """Describe the commands, in the language chosen."""
    top = argparse.ArgumentParser(
        prog="sigillo-card", description=tr("Rinnovo dei certificati di una smart card."), allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=tr(text), description=tr(text), allow_abbrev=False)
        if name == WINDOW:
            continue
        if name == "pin":
            command.add_argument("action", choices=("change", "unblock"), help=tr("cosa fare del PIN"))
        _add_common(command)
        _add_codes(command, CODES.get(name, ()))
        if name == "renew":
            _add_renewal(command)
        if name == "diagnose":
            command.add_argument("--with-holder", action="store_true", help=tr("include il nome nei certificati"))
    return top


def _early() -> argparse.ArgumentParser:
    """Read what decides how the rest is read."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--settings", type=Path)
    early.add_argument("--language", choices=list(Language))
    return early


def _add_common(command: argparse.ArgumentParser) -> None:
    card = command.add_mutually_exclusive_group()
    card.add_argument(
        "--module", type=_module, help=tr("percorso completo del modulo PKCS#11, invece di tutti i lettori")
    )
    card.add_argument(
        "--simulator", "--simulated", dest="simulated", action="append", metavar="FILE",
        help=tr("carta simulata (ripetibile)"),
    )  # fmt: skip
    command.add_argument("--slot", type=int, help=tr("posizione del lettore nell'elenco del modulo"))
    command.add_argument("--server", help=tr("indirizzo del servizio di rinnovo, al posto di quello delle preferenze"))
    command.add_argument("--no-proxy", action="store_true", help=tr("va al servizio senza proxy"))
    command.add_argument("--ca-file", help=tr("certificati della CA del servizio, al posto di quelli di sistema"))
    command.add_argument("--json", action="store_true", help=tr("scrive un oggetto JSON sull'uscita standard"))
    command.add_argument("--language", choices=list(Language), help=tr("lingua dei messaggi"))
    command.add_argument("--settings", type=Path, metavar="DIR", help=tr("cartella delle preferenze e dei log"))
    command.add_argument("--log", metavar="FILE", help=tr("scrive il log in questo file"))
    command.add_argument("--debug-log", action="store_true", help=tr("scrive un log dettagliato"))
    command.add_argument("--no-input", action="store_true", help=tr("non chiede nulla: si ferma se manca un dato"))
    command.add_argument("--card", metavar="SERIAL", help=tr("quale carta, se sono più d'una"))


def _add_codes(command: argparse.ArgumentParser, kinds: Sequence[SecretKind]) -> None:
    for kind in kinds:
        source = command.add_mutually_exclusive_group()
        source.add_argument(f"--{kind}-file", metavar="FILE", help=tr("file con il codice ({kind})", kind=kind))
        source.add_argument(
            f"--{kind}-fd", type=int, metavar="N", help=tr("descrittore con il codice ({kind})", kind=kind)
        )
    if kinds:
        command.add_argument("--use-last-try", action="store_true", help=tr("usa il codice anche all'ultimo tentativo"))


def _add_renewal(command: argparse.ArgumentParser) -> None:
    command.add_argument("--certificate", metavar="SHA256", help=tr("quale certificato rinnovare, se sono più d'uno"))
    for name in CONTACTS:
        command.add_argument(f"--{name}")
    command.add_argument("--confirmation-code", metavar="CODE", help=tr("codice ricevuto alla nuova email"))
    command.add_argument(
        "--data-wrong", metavar="TEXT", help=tr("i dati non sono corretti: ferma il rinnovo e dice perché")
    )
    command.add_argument(
        "--accept-all", action="store_true", help=tr("accetta i testi e firma il modulo senza chiedere")
    )
    command.add_argument("--form-out", type=Path, metavar="FILE", help=tr("salva il modulo prima di firmarlo"))


def answers(options: argparse.Namespace) -> Answers:
    """Collect what the command line answers; reads code files once. Raises ClientError("usage") for unreadable ones."""
    kinds = CODES.get(options.command, ())
    secrets = {kind: code for kind in kinds if (code := _code(options, kind.replace("-", "_")))}
    given = Answers(secrets=secrets, card=options.card, use_last_try=getattr(options, "use_last_try", False))
    if options.command != "renew":
        return given
    return replace(
        given,
        contacts={name: value for name in CONTACTS if (value := getattr(options, name))},
        confirmation_code=options.confirmation_code,
        data_wrong=options.data_wrong,
        accept_all=options.accept_all,
        certificate=options.certificate,
        form_out=options.form_out,
    )


def _joined(preferences: Preferences, options: argparse.Namespace) -> Preferences:
    """Let the command line win over the file."""
    return replace(
        preferences,
        server=options.server or preferences.server,
        language=options.language or preferences.language,
        proxy=ProxyChoice(ProxyKind.NONE) if options.no_proxy else preferences.proxy,
        debug_log=options.debug_log or preferences.debug_log,
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
        raise argparse.ArgumentTypeError(tr("serve il percorso completo del modulo"))
    return text
