"""The screen on a terminal: asks what was not given on the command line, and gives up politely where nobody can answer.

Everything for people goes to standard error; standard output is for the result.
"""

from __future__ import annotations

import getpass
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardclient.contract import Address, Case, ChangeContacts, Contacts, DataWrong, Text, TextKind
from cardclient.messages import message_for
from cardclient.network.credentials import ProxyLogin, ProxyQuestion
from cardclient.ports import Choice, Notice, Phase, SecretKind
from cardclient.secret import Secret
from cardclient.words import marked, tr

LOG = logging.getLogger("cardclient.terminal")

TITLES = {
    Phase.SCAN: marked("Lettura della carta"),
    Phase.TEXTS: marked("Avvertenze e condizioni"),
    Phase.LOGIN: marked("Autenticazione"),
    Phase.DIAGNOSIS: marked("Diagnostica della carta"),
    Phase.CONTACTS: marked("Dati di contatto"),
    Phase.CONFIRMATION: marked("Conferma della nuova email"),
    Phase.ACCEPTANCE: marked("Contratti e clausole"),
    Phase.FORM: marked("Firma del modulo di rinnovo"),
    Phase.KEYS: marked("Generazione delle nuove chiavi"),
    Phase.CERTIFICATES: marked("Nuovi certificati"),
    Phase.INSTALLATION: marked("Installazione sulla carta"),
    Phase.REMOVAL: marked("Rimozione delle vecchie chiavi"),
    Phase.DONE: marked("Fine"),
}
FIELDS = {
    "email": marked("Email"),
    "mobile": marked("Cellulare"),
    "street": marked("Indirizzo"),
    "postcode": marked("CAP"),
    "town": marked("Comune"),
    "province": marked("Provincia"),
}
OTHER = "R"  # typed in place of a mailed code, which has digits only
YES = frozenset({"s", "si", "sì", "y", "yes"})


@dataclass(frozen=True, slots=True)
class Answers:
    """What the command line already answers; None asks (or, where nobody can answer, stops)."""

    secrets: dict[SecretKind, Secret] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    confirmation_code: str | None = None
    data_wrong: str | None = None
    accept_all: bool = False
    use_last_try: bool = False
    certificate: str | None = None
    card: str | None = None
    form_out: Path | None = None


class Terminal:
    """A `Screen`; `interactive` says whether a person can be asked. Keeps what `--json` reports."""

    def __init__(self, answers: Answers, *, interactive: bool) -> None:
        """Start with the command line's answers; each secret among them is given once."""
        self._answers = answers
        self._interactive = interactive
        self._given: set[SecretKind] = set()
        self._code_given = self._contacts_given = False
        self.phases: list[str] = []
        self.notices: list[str] = []
        self.accepted: list[dict[str, str]] = []

    def phase(self, phase: Phase) -> None:
        """See `Screen.phase`."""
        self.phases.append(phase.value)
        LOG.info("phase %s", phase)
        self._show(f"» {tr(TITLES[phase])}")
        if phase is Phase.KEYS:
            self.say(Notice("in-progress"))

    def say(self, notice: Notice) -> None:
        """See `Screen.say`."""
        self.notices.append(notice.key)
        LOG.info("notice %s", notice.key)
        for line in message_for(notice.key, notice.facts).lines():
            self._show(f"  {line}")

    def choose(self, choices: Sequence[Choice]) -> int | None:
        """See `Screen.choose`."""
        for index, choice in enumerate(choices):
            wanted = self._answers.certificate in (choice.offer.login_with, choice.offer.sign_with)
            if wanted or (self._answers.certificate is None and self._answers.card == choice.view.serial):
                return index
        for number, choice in enumerate(choices, 1):
            offer = choice.offer
            facts = {"serial": choice.view.serial, "service": offer.service, "until": offer.old_not_after}
            self._show(f"  {number}. {tr('carta {serial}, {service}, scade {until}', **facts)}")
        answer = self._ask(tr("Quale certificato rinnovare?"))
        return int(answer) - 1 if answer and answer.isdecimal() and 1 <= int(answer) <= len(choices) else None

    def ask_secret(self, kind: SecretKind, problem: str | None) -> Secret | None:
        """See `Screen.ask_secret`; a code from a file is used once and never a second time."""
        if problem:
            self.say(Notice(problem))
        if kind in self._answers.secrets and kind not in self._given:
            self._given.add(kind)
            return self._answers.secrets[kind]
        if not self._interactive or kind in self._given:
            return None
        return self._type(kind)

    def _type(self, kind: SecretKind) -> Secret | None:
        """Let the person type a code unseen; a new PIN twice, because nobody knows it yet who could tell a slip."""
        prompt = f"{message_for(f'{kind}-prompt').text}: "
        while True:
            typed = getpass.getpass(prompt, stream=sys.stderr).strip()
            if kind is not SecretKind.NEW_PIN or not typed:
                return Secret(typed) or None
            if getpass.getpass(f"{tr('Ripeti il nuovo PIN')}: ", stream=sys.stderr).strip() == typed:
                return Secret(typed)
            self._show(f"  {tr('I due PIN non sono uguali.')}")

    def confirm_last_try(self, kind: SecretKind) -> bool:
        """See `Screen.confirm_last_try`."""
        return self._answers.use_last_try or self._agree(
            tr("Usare l'ultimo tentativo per il {code}?", code=kind.upper())
        )

    def wants_unblock(self) -> bool:
        """See `Screen.wants_unblock`; giving a PUK and a new PIN on the command line says yes."""
        if {SecretKind.PUK, SecretKind.NEW_PIN} <= set(self._answers.secrets):
            return True
        return self._agree(tr("Sbloccare il PIN con il PUK?"))

    def show_diagnosis(self, case: Case) -> bool:
        """See `Screen.show_diagnosis`; whoever runs a command goes on."""
        self._show(f"  {tr('Pratica {code}: carta e certificati idonei al rinnovo.', code=case.code)}")
        return True

    def ask_contacts(self, case: Case, current: Contacts, problem: str | None) -> Contacts | DataWrong | None:  # noqa: ARG002 - a terminal shows the contacts only
        """See `Screen.ask_contacts`; options win over what the office knows, a person may change both.

        Options are used once: whoever is asked again in the same run wants something else.
        """
        if problem:
            self.say(Notice(problem))
        if self._answers.data_wrong:
            return DataWrong(self._answers.data_wrong)
        given = {} if self._contacts_given else self._answers.contacts
        proposed, self._contacts_given = _merge(current, given), True
        if self._interactive and (problem or not given):
            return self._edit(proposed)
        return None if problem or not _is_complete(proposed) else proposed

    def ask_confirmation_code(self, email: str, problem: str | None) -> str | ChangeContacts | None:
        """See `Screen.ask_confirmation_code`; a mailbox given again without a code replaces the one that waits."""
        if problem:
            self.say(Notice(problem))
        if self._answers.confirmation_code and not self._code_given:
            self._code_given = True
            return self._answers.confirmation_code
        if "email" in self._answers.contacts and not self._contacts_given and not self._code_given:
            return ChangeContacts()
        question = tr(
            "Codice di conferma inviato a {email} ({letter}: altri recapiti o un altro codice):",
            email=email,
            letter=OTHER,
        )
        typed = self._ask(question) or None
        return ChangeContacts() if typed and typed.upper() == OTHER else typed

    def accept_texts(self, texts: Sequence[Text]) -> bool:
        """See `Screen.accept_texts`; `--accept-all` still shows and records each title and version."""
        for text in texts:
            self._show(f"  {tr('{title} (versione {version})', title=text.title, version=text.version)}")
            if not self._answers.accept_all:
                self._show(text.text)
        warnings = [text for text in texts if text.kind is TextKind.ENCRYPTION_WARNING]
        agreed = self._answers.accept_all or (
            all(self._agree(tr("«{title}»: ho letto e voglio proseguire?", title=text.title)) for text in warnings)
            and (len(warnings) == len(texts) or self._agree(tr("Accetto i testi mostrati?")))
        )
        if agreed:
            self.accepted += [{"kind": each.kind, "version": each.version, "title": each.title} for each in texts]
            for text in texts:
                LOG.info("accepted %s version %s", text.kind, text.version)
        return agreed

    def warn_encryption(self, text: Text) -> bool:
        """See `Screen.warn_encryption`."""
        return self.accept_texts([text])

    def writing(self, active: bool) -> None:  # noqa: FBT001 - a state, not an option
        """See `Screen.writing`; a terminal cannot be kept from closing, it can only say so."""
        LOG.info("writing the card: %s", active)

    def sign_form(self, pdf: bytes, case: Case) -> bool:
        """See `Screen.sign_form`; the form is written where `--form-out` says, so that it can be read first."""
        if self._answers.form_out:
            self._answers.form_out.write_bytes(pdf)
            saved = {"code": case.code, "file": str(self._answers.form_out)}
            self._show(f"  {tr('Modulo di rinnovo {code} salvato in {file}', **saved)}")
        return self._answers.accept_all or self._agree(tr("Firmare il modulo di rinnovo?"))

    def _edit(self, proposed: Contacts) -> Contacts | None:
        values = {name: self._ask(f"{tr(FIELDS[name])} [{value}]:") or value for name, value in _flat(proposed).items()}
        edited = _merge(proposed, values)
        return edited if _is_complete(edited) else None

    def _agree(self, question: str) -> bool:
        return (self._ask(f"{question} [{tr('s/N')}]") or "").lower() in YES

    def _ask(self, question: str) -> str | None:
        if not self._interactive:
            return None
        print(f"  {question} ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def _show(self, line: str) -> None:
        print(line, file=sys.stderr)


class TerminalCredentials:
    """Who knows the proxy's password: the person at the terminal, once for a run; nobody where nobody can answer."""

    def __init__(self, *, interactive: bool) -> None:
        """Say whether a person can be asked."""
        self._interactive = interactive

    def ask(self, question: ProxyQuestion) -> ProxyLogin | None:
        """See `Credentials.ask`; the keyring is the preferences' business, so nothing is remembered from here."""
        if not self._interactive:
            return None
        for line in message_for(question.problem).lines()[1:-1]:
            print(f"  {line}", file=sys.stderr)
        name = tr("Utente del proxy {proxy}", proxy=question.proxy)
        print(f"  {name} [{question.username}]: ", end="", file=sys.stderr, flush=True)
        username = sys.stdin.readline().strip() or question.username
        password = getpass.getpass(f"  {tr('Password')}: ", stream=sys.stderr)
        return ProxyLogin(username, Secret(password)) if username and password else None


def _flat(contacts: Contacts) -> dict[str, str]:
    address = contacts.address
    return {
        "email": contacts.email,
        "mobile": contacts.mobile,
        "street": address.street,
        "postcode": address.postcode,
        "town": address.town,
        "province": address.province,
    }


def _merge(contacts: Contacts, given: dict[str, str]) -> Contacts:
    values = _flat(contacts) | {name: value for name, value in given.items() if value}
    address = Address(values["street"], values["postcode"], values["town"], values["province"])
    return replace(contacts, email=values["email"], mobile=values["mobile"], address=address)


def _is_complete(contacts: Contacts) -> bool:
    """Mailbox and mobile are what a renewal needs; whether an address is needed too, the office says."""
    return bool(contacts.email and contacts.mobile)
