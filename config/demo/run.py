"""The order of things in `make run`: services, database, people, a renewal to watch, and then waiting for Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from config.demo import totp
from config.demo.cards import FIRST_TAX_CODE, SERIALS, SLOTS, TS_CNS, TS_CNS_FAMILY, DemoCard, start_client
from config.demo.installation import ROOT, Installation
from config.demo.outside import CUSTOMER, CUSTOMER_PASSWORD, MAKERS, Outside
from config.demo.stack import Stack
from config.demo.staff import NAMES, STAFF, Colleague, from_anywhere, of_demo
from runtime.embedded.accounts import service_account
from runtime.embedded.errors import EmbeddedError
from runtime.embedded.folder import DATA_DIR, DataFolder
from runtime.embedded.postgres import cluster_version
from runtime.embedded.processes import start_child
from runtime.embedded.supervisor import Supervisor

# In the cards' folder: written when everybody and every card is in place; the same for the campaign of extension, which
# an installation that is older than campaigns gets at its next start.
SEEDED, EXTENSION_SEEDED = "seeded", "seeded-extension"


class StepFailed(EmbeddedError):
    """One of the steps of the start ended with an error; its output says why."""

    exit_code = 6


@dataclass
class Demo:
    """One run: the installation, its services and the supervisor that keeps them."""

    installation: Installation
    stack: Stack
    supervisor: Supervisor
    say: Callable[[str], None]

    @cached_property
    def outside(self) -> Outside:
        """What stands in the place of the world around S/MIME."""
        return Outside(self.installation)

    def bring_up(self) -> None:
        """Start everything up to a web server that answers."""
        self.say("Servizi")
        web = self.stack.web()  # chooses the port, which is part of the address that all processes know
        self.outside.prepare()
        for service in self.stack.data_services():
            self.supervisor.start(service)
        self.say("Base dati: ruoli, tabelle, permessi")
        self._step(
            "prepare", self.installation.manage("prepare_database", "--verbosity=0"), self.stack.owner_environment()
        )
        if not (self.installation.cards / SEEDED).exists():
            self._seed()
        if not (self.installation.cards / EXTENSION_SEEDED).exists():
            self._seed_extension()
        self._step(
            "staff", self.installation.manage("staff_demo", f"--keys={self.installation.keys}"), self._environment
        )
        self._step("activations", self.installation.manage(*self.outside.seeding()), self._environment)
        self.say("Server web, worker, orologio, sostituti di riconoscimento, antivirus e DNS")
        others = self.outside.services(self.base_url)
        for service in (*others, self.stack.worker(), self.stack.beat(), web):  # the last one is waited for
            self.supervisor.start(service)

    def renew(self, card: DemoCard) -> dict[str, Any]:
        """Let the real client renew the simulated card through the API, seen on the terminal; return its result."""
        server = self.base_url
        status = self.supervisor.run_step(
            partial(start_client, card.renewal(server), output=card.outcome, errors=sys.stderr)
        )
        result: dict[str, Any] = json.loads(card.outcome.read_text() or "{}") if card.outcome.exists() else {}
        return result | {"exit": status}

    def report(self) -> dict[str, Any]:
        """Ask the register what it holds."""
        output = self.installation.logs / "report.json"
        output.unlink(missing_ok=True)
        self._run("report", self.installation.manage("demo_report"), self.installation.environment(), output)
        found: dict[str, Any] = json.loads(output.read_text())
        return found

    @property
    def base_url(self) -> str:
        """The panel's address."""
        return self.installation.addresses["SIGILLO_BASE_URL"]

    def card(self, number: int) -> DemoCard:
        """Return one of the simulated cards."""
        return DemoCard(self.installation, SERIALS[number])

    @property
    def ts_cns(self) -> DemoCard:
        """The simulated TS-CNS, which the demo's campaign extends."""
        return DemoCard(self.installation, TS_CNS, slots=SLOTS[:1], family=TS_CNS_FAMILY)

    @property
    def _environment(self) -> dict[str, str]:
        return self.installation.environment()

    def _seed(self) -> None:
        """Make cards, people and the CA. An interrupted seeding is taken up where it stopped."""
        self.say("Primo avvio: autorità di certificazione, operatore, titolari e carte inventati (qualche secondo)")
        cards = [self.card(number) for number in range(len(SERIALS))]
        for command in [command for card in cards for command in card.making()]:
            self._step("cards", command, self.installation.environment())
        seeding = self.installation.manage("seed_demo", f"--cards={self.installation.cards}")
        self._step("seed", seeding, self._environment)
        for command in [command for card in cards for command in card.installing()]:
            self._step("cards", command, self.installation.environment())
        (self.installation.cards / SEEDED).touch(mode=0o600)

    def _seed_extension(self) -> None:
        """Open the campaign of extension, and make its TS-CNS."""
        card = self.ts_cns
        for command in card.making():
            self._step("cards", command, self.installation.environment())
        seeding = self.installation.manage(
            "seed_demo", f"--cards={self.installation.cards}", f"--extension={card.serial}"
        )
        self._step("seed", seeding, self._environment)
        for command in card.installing():
            self._step("cards", command, self.installation.environment())
        (self.installation.cards / EXTENSION_SEEDED).touch(mode=0o600)

    def _step(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self._run(name, command, environment, self.installation.logs / f"{name}.log")

    def _run(self, name: str, command: list[str], environment: dict[str, str], output: Path) -> None:
        errors = self.installation.logs / f"{name}.errors.log"
        with errors.open("w") as shown:
            start = partial(start_child, name, command, folder=ROOT, environment=environment, log=output, errors=shown)
            status = self.supervisor.run_step(start)
        if status:
            tail = "\n".join(errors.read_text(errors="replace").splitlines()[-15:])
            raise StepFailed(
                f"Il passo «{name}» non è riuscito (stato {status}):\n{tail}",
                f"The step '{name}' failed with status {status}; see {errors}.",
            )


def open_demo(path: Path, supervisor: Supervisor, say: Callable[[str], None]) -> Demo:
    """Open or create the installation in `path`; raises `FolderRefused` with nothing changed."""
    data = DataFolder.open(path, service_account())
    installation = Installation(data)
    stack = Stack(installation, say)
    exists = cluster_version(stack.cluster) is not None
    installation.make_secrets(database_exists=exists)
    installation.make_staff_secrets(NAMES)
    installation.make_missing(MAKERS)
    say(f"Dati in {path}" + (" (ritrovati)" if exists else " (nuovi)"))
    return Demo(installation, stack, supervisor, say)


def run(path: Path, say: Callable[[str], None]) -> None:
    """Start, show the renewal if it has not been shown, say what there is, and stay until asked to stop."""
    with Supervisor(say=say) as supervisor:
        demo = open_demo(path, supervisor, say)
        demo.bring_up()
        first = demo.card(0)
        if first.outcome.exists():
            _say_what_is_there(demo, say)
        else:
            _show_renewal(demo, first, say)
        for line in directions(demo, datetime.now(UTC)):
            say(line)
        supervisor.watch()


def directions(demo: Demo, now: datetime) -> list[str]:
    """Tell where everything is, with the one-time codes of this moment. Commands work from any folder."""
    operator, manager, *_ = STAFF
    folder = {DATA_DIR: str(Path(os.environ[DATA_DIR]).resolve())} if DATA_DIR in os.environ else {}
    chosen = "".join(f"{name}={shlex.quote(value)} " for name, value in folder.items())
    signing = from_anywhere([sys.executable, "-m", "config.demo.signing", "MODULO.pdf"])
    return [
        "",
        f"Pannello       {demo.base_url}/",
        *credentials(demo.installation, operator, now),
        *credentials(demo.installation, manager, now),
        f"Titolari       {demo.base_url}/titolare/{case_to_follow(demo.card(0))}",
        f"Area clienti   {demo.base_url}/area-clienti/  (S/MIME: due attivazioni di ciascun tipo)",
        f"Cliente        {CUSTOMER.email}",
        f"Password       {demo.installation.secret(CUSTOMER_PASSWORD)}",
        f"Collegamenti   quelli delle mail S/MIME: {chosen}{of_demo('links')}",
        f"Firma (FEQ)    {CUSTOMER.full_name}, {CUSTOMER.tax_code}: {chosen}{signing}",
        f"Codici dopo    {chosen}{of_demo('code')}",
        f"Altri ruoli    {chosen}{of_demo('people')}",
        f"Posta          {demo.installation.mails}",
        f"Altra carta    {from_anywhere(demo.card(1).command('renew', demo.base_url))}",
        f"TS-CNS         {from_anywhere(demo.ts_cns.command('renew', demo.base_url))}",
        f"Registri       {demo.installation.logs}",
        "Per fermare    Ctrl-C",
        "",
    ]


def case_to_follow(card: DemoCard) -> str:
    """What opens the holder's page of the first card's renewal; empty until it has been renewed."""
    if not card.outcome.exists():
        return ""
    code = json.loads(card.outcome.read_text())["case"]["code"]
    return f"  (pratica {code}, codice fiscale {FIRST_TAX_CODE}; il codice utente è nella posta)"


def credentials(installation: Installation, colleague: Colleague, now: datetime) -> list[str]:
    """Tell how one of the people logs in at this moment."""
    secret = installation.secret(colleague.totp)
    return [
        f"{colleague.word:<14} {colleague.email}",
        f"Password       {installation.secret(colleague.password)}",
        f"Codice adesso  {totp.code_at(secret, now)} (vale ancora {totp.seconds_left(now)} s; chiave {secret})",
    ]


def _show_renewal(demo: Demo, card: DemoCard, say: Callable[[str], None]) -> None:
    say(f"Rinnovo della carta simulata {card.serial} con il client vero, attraverso l'API")
    result = demo.renew(card)
    if result["exit"]:
        kept = card.outcome.with_suffix(".failed.json")
        card.outcome.replace(kept)  # the next start tries again; the renewal continues where it stopped
        say(f"Il rinnovo non è riuscito (stato {result['exit']}): {result.get('message', '')} Dettagli in {kept}.")
        return
    case = result["case"]
    say(f"Pratica {case['code']}: {case['state_label']}, nuova scadenza {case['new_not_after']}")


def _say_what_is_there(demo: Demo, say: Callable[[str], None]) -> None:
    states = demo.report()["states"]
    counted = ", ".join(f"{count} {label}" for label, count in states.items()) or "nessuna"
    say(f"Il rinnovo dimostrativo è già stato fatto. Pratiche nel registro: {counted}.")
