"""What the documents say is so: made ones equal the code, and whatever they name exists."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from cms.conf import CmsSettings
from cms.states import CertificateStatus, Channel, MovementKind, Role
from config import health
from config.env import Environment
from notifications.conf import NotificationSettings
from renewals.conf import RenewalSettings
from renewals.states import Authorisation, CaseState
from smime.conf import SmimeSettings
from tests.docs import client_codes, error_codes, roles, states
from tests.docs.markdown import COMMAND, ROOT

PACKAGES = ("config", "renewals", "smime", "cms", "notifications", "authority", "pki", "runtime", "cardclient")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "cardclient/README.md", *ROOT.glob("docs/**/*.md")])
RECORDS = sorted(ROOT.glob("docs/adr/0*.md"))
OPERATING = (ROOT / "docs/operating.md").read_text()
MAIL = (ROOT / "docs/mail.md").read_text()
GLOSSARY = (ROOT / "docs/glossary.md").read_text()

LONGEST_RECORD_WORDS = 320
# Places on somebody's own machine. What the product itself uses (/var/lib/sigillo, /pki/...) is no such place.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|opt|Users|mnt|srv|workspace)\b")
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://([^/\s`\"')>:\[]*)")
# The European list of trusted lists has one address.
INVENTED = re.compile(
    r"^ec\.europa\.eu$|(?:^|\.)(?:example\.(?:org|com|net)|localhost|invalid)$|^127\.0\.0\.1$|^$|^(?:host|HOST)$"
)


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.fixture(params=DOCUMENTS, ids=named)
def document(request) -> Path:
    return request.param


@pytest.fixture(params=RECORDS, ids=lambda path: path.stem)
def record(request) -> Path:
    return request.param


def sources() -> str:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if "migrations" not in file.parts]
    return "\n".join(file.read_text() for file in files)


def code_of(text: str) -> str:
    """Everything that a document shows as code, in blocks and in lines."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*blocks, *lines])


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def section(text: str, title: str) -> str:
    return re.split(r"^#+ ", text.partition(f" {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


# Made documents


@pytest.mark.parametrize(("name", "made"), [("states", states), ("error-codes", error_codes), ("roles", roles)])
def test_a_made_document_equals_the_code(name, made):
    assert (ROOT / f"docs/{name}.md").read_text() == made.document(), f"write it anew: {COMMAND}"


def test_the_support_desk_knows_the_clients_words():
    assert (ROOT / "renewals/client_codes.json").read_text() == client_codes.document(), f"write it anew: {COMMAND}"


def test_every_code_that_the_api_can_answer_with_is_explained():
    contract = json.loads((ROOT / "docs/openapi.json").read_text())
    codes = set(re.findall(r'"code": \{"enum": \[(.*?)\]', json.dumps(contract)))
    answered = {code for group in codes for code in re.findall(r'"([^"]+)"', group)}
    explained = set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs/error-codes.md").read_text(), re.MULTILINE))
    assert answered
    assert answered - explained == set()


def test_every_reason_of_the_key_gate_is_explained():
    literals = {
        node.value
        for node in ast.walk(ast.parse((ROOT / "pki/keys.py").read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(r"key-[a-z-]+", str(node.value))
    }
    text = (ROOT / "docs/error-codes.md").read_text()
    assert literals
    assert {code for code in literals if f"| `{code}` |" not in text} == set()


# What documents name


def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(document):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        path, _, anchor = target.partition("#")
        aim = (document.parent / path).resolve() if path else document
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            broken.append(target)
    assert broken == []


def anchors(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_make_target_that_is_named_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code_of(document.read_text()))) - targets == set()


def test_every_command_and_module_that_is_named_exists(document):
    text = code_of(document.read_text())
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) - set(get_commands()) == set()
    modules = set(re.findall(r"python -m ([\w.]+)", text))
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()


def test_every_source_file_that_is_named_exists(document):
    files = set(
        re.findall(r"(?<![\w/.-])((?:[\w.-]+/)+[\w.-]+\.(?:py|sql|env|md|json|toml))\b", code_of(document.read_text()))
    )
    ours = {name for name in files if name.split("/")[0] in {*PACKAGES, "docs", "deploy", "tests", "requirements"}}
    assert {name for name in ours if not (ROOT / name.partition(":")[0]).exists()} == set()


def test_no_document_names_a_place_on_somebodys_machine(document):
    assert [line for line in document.read_text().splitlines() if MACHINE_PATH.search(line)] == []


def test_no_document_names_a_host_that_is_not_invented(document):
    assert [host for host in ADDRESS.findall(document.read_text()) if not INVENTED.search(host)] == []


def test_no_document_points_to_a_paper_that_is_not_here(document):
    papers = set(re.findall(r"(?<![\w/.-])([\w-]+\.md)\b", document.read_text()))
    here = {path.name for path in DOCUMENTS}
    assert papers - here == set()


# Decisions


def test_decisions_are_numbered_without_gaps():
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_a_decision_has_its_number_and_its_three_parts_in_half_a_page(record):
    text = record.read_text()
    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) <= LONGEST_RECORD_WORDS


def test_the_list_of_decisions_is_complete():
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (ROOT / "docs/adr/README.md").read_text(), re.MULTILINE)
    assert listed == [(record.read_text().partition("\n")[0].removeprefix("# "), record.name) for record in RECORDS]


def test_every_decision_that_code_or_documents_name_exists():
    texts = sources() + "".join(document.read_text() for document in DOCUMENTS)
    assert {int(number) for number in re.findall(r"\bADR (\d+)", texts)} <= set(range(1, len(RECORDS) + 1))


def test_rules_are_numbered_without_gaps_and_those_that_code_names_exist():
    numbers = [
        int(number) for number in re.findall(r"^\*\*R(\d+)\.", (ROOT / "docs/rules.md").read_text(), re.MULTILINE)
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(number) for number in re.findall(r"rules\.md R(\d+)", sources())} <= set(numbers)


# Glossary


def test_every_name_of_the_glossary_is_used_in_the_code():
    text = sources()
    names = [cells[2].strip("`") for cells in rows(GLOSSARY) if cells[2].startswith("`")]
    assert len(names) > 50
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_no_word_stands_in_the_glossary_twice():
    words = [(cells[0], cells[1]) for cells in rows(GLOSSARY) if cells[0] != "Italian"]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("choices", [CaseState, Authorisation, CertificateStatus, Role, MovementKind, Channel])
def test_labels_that_operators_see_stand_in_the_glossary(choices):
    if choices is Channel:
        assert "canale evento" in GLOSSARY  # the list itself stands in states.md
        return
    text = GLOSSARY.lower()
    assert [str(label) for label in choices.labels if str(label).lower() not in text] == []


# Operating


def variables() -> dict[str, object]:
    """Every variable of the environment with its default as the table writes it."""
    found = {}
    for kind in (Environment, CmsSettings, RenewalSettings, NotificationSettings, SmimeSettings):
        prefix = kind.model_config["env_prefix"]
        for name, field in kind.model_fields.items():
            found[f"{prefix}{name}".upper()] = field.default
    return found


def written(default: object) -> str:
    if default is PydanticUndefined:
        return "–"
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default in {"", ()} if isinstance(default, (str, tuple)) else False:
        return "empty"
    if isinstance(default, (bool, tuple)):
        default = json.dumps(default)
    return f"`{default}`"


def test_the_table_of_variables_is_the_settings():
    table = {
        cells[0].strip("`"): cells[1] for cells in rows(section(OPERATING, "Configuration")) if "SIGILLO_" in cells[0]
    }
    expected = {name: written(default) for name, default in variables().items() if "_MAIL_" not in name}
    assert table == expected


def test_the_variables_of_the_outbox_stand_in_its_own_page():
    mail = {name for name in variables() if "_MAIL_" in name or "_SMTP_" in name}
    assert mail - set(re.findall(r"`(SIGILLO_\w+)`", MAIL)) == set()


def test_every_variable_that_a_document_names_exists(document):
    own = {"SIGILLO_DATA_DIR", "SIGILLO_PG_BIN"}
    compose = set(re.findall(r"\$\{(SIGILLO_\w+)", (ROOT / "docker-compose.yml").read_text()))
    named_here = set(re.findall(r"\b(SIGILLO_[A-Z_]+[A-Z])\b", document.read_text()))
    assert named_here - set(variables()) - own - compose == set()


def test_every_log_line_is_explained():
    logged = set(re.findall(r"\blog\.(?:info|warning|error|critical|exception)\(\s*\"([^\"]+)\"", sources()))
    assert logged
    assert logged == set(
        re.findall(r"^\| `([a-z]+\.[a-z_-]+)` \|", section(OPERATING, "When something is wrong"), re.MULTILINE)
    )


def test_every_invariant_is_explained():
    checked = set(re.findall(r"Breach\(\s*\"(I\d+)\"", (ROOT / "renewals/invariants.py").read_text()))
    assert checked
    assert checked == set(re.findall(r"^\| (I\d+) \|", OPERATING, re.MULTILINE))


def test_every_check_of_readiness_is_explained():
    explained = {cells[0].strip("`") for cells in rows(section(OPERATING, "Services")) if cells[0].startswith("`")}
    assert explained == set(health.CHECKS)


def test_reasons_of_refused_requests_are_codes():
    named_here = set()
    for cells in rows(section(OPERATING, "A CA request was refused")):
        named_here |= set(re.findall(r"`([a-z-]+)`", cells[0]))
    known = set(re.findall(r"\| `([a-z-]+)` \|", (ROOT / "docs/error-codes.md").read_text()))
    assert named_here
    ours = {"ca-answer-differs", "key-gone"}
    assert named_here - known - ours == set()
    assert all(f'"{code}"' in sources() for code in ours)


def test_the_first_screen_names_the_two_commands_and_shows_the_panel():
    start = (ROOT / "README.md").read_text()[:1200]
    assert "\nmake run " in start
    assert "\nmake test " in start
    assert "](docs/panel/" in start
