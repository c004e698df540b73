"""The card of the product: what stands where, what it is called, and the few rules that a reader relies on."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps

from config.schedule import SCHEDULE
from renewals.states import CaseState

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = {"config", "renewals", "smime", "cms", "notifications", "authority", "pki", "runtime", "cardclient"}

TOP_LEVEL = PACKAGES | {
    ".ci",
    ".dockerignore",
    ".gitignore",
    "Dockerfile",
    "Makefile",
    "README.md",
    "benchmarks",
    "deploy",
    "docker-compose.yml",
    "docs",
    "locale",
    "manage.py",
    "pyproject.toml",
    "requirements",
    "templates",
    "tests",
}

REFUSED_NAMES = {"utils", "helpers", "common", "misc"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 500

# Where rows move set-wise. A renewal case moves so in its sweeps alone; a CA request has no machine, only a progress.
SETS_STATE = {
    "renewals/sweeps.py",
    "cms/services/requests.py",
    "cms/services/failures.py",
    "cms/services/certificates.py",
    "smime/services/issuance.py",
    "smime/services/revocation.py",
    "smime/services/settlement.py",
}
HAVE_STATES = ("cms/", "renewals/", "smime/")

TASKS = {
    "authority.tasks.publish_crls",
    "cms.tasks.check_statuses",
    "cms.tasks.forget_imports",
    "cms.tasks.rescan_imports",
    "cms.tasks.rescan_requests",
    "cms.tasks.seal_events",
    "cms.tasks.forget_visits",
    "cms.tasks.sweep_low_stock",
    "cms.tasks.write_to_holders",
    "config.tasks.sing",
    "notifications.tasks.drain",
    "notifications.tasks.forget_old_secrets",
    "renewals.tasks.forget_support_logs",
    "renewals.tasks.rescan_bulk",
    "renewals.tasks.settle_bounces",
    "renewals.tasks.sweep_expired",
    "renewals.tasks.sweep_notices",
    "renewals.tasks.sweep_unauthorised",
    "renewals.tasks.sweep_unrecovered",
    "renewals.tasks.sweep_windows",
    "renewals.tasks.tell_day",
    "smime.tasks.destroy_bundles",
    "smime.tasks.erase_identity_evidence",
    "smime.tasks.fetch_revocation_lists",
    "smime.tasks.forget_links",
    "smime.tasks.forget_tax_codes",
    "smime.tasks.lapse_abandoned_orders",
    "smime.tasks.refresh_trusted_lists",
    "smime.tasks.rescan_ca_orders",
    "smime.tasks.rescan_identifications",
    "smime.tasks.scan_files",
    "smime.tasks.validate_signatures",
    "smime.tasks.tell_expiring",
}


def tracked() -> list[str]:
    """Files of the repository; in an unpacked archive, all but what is made at run time."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    made = {".venv", "var", "static-root"}
    return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and not made & set(path.parts)]


def sources() -> Iterator[tuple[str, str]]:
    """Python files that people write, with their text: all but migrations."""
    for name in tracked():
        if name.endswith(".py") and "/migrations/" not in name:
            yield name, (ROOT / name).read_text()


def test_the_top_level_is_what_the_architecture_names():
    assert {name.split("/")[0] for name in tracked()} == TOP_LEVEL


def test_the_server_is_made_of_these_packages():
    installed = {config.name for config in apps.get_app_configs() if "." not in config.name} & PACKAGES

    assert installed == PACKAGES - {"pki", "cardclient"}  # these two know no framework


def test_a_renewal_case_has_five_states_with_these_labels():
    assert list(CaseState.labels) == ["Comunicato", "In attesa emissione", "Completato", "Scaduto", "Cancellato"]


def test_no_file_has_a_name_that_says_nothing():
    assert [name for name in tracked() if Path(name).stem in REFUSED_NAMES] == []


def test_no_file_is_too_long_to_be_read():
    assert {name: lines for name, text in sources() if (lines := text.count("\n")) > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_be_understood():
    found = {
        f"{name}:{node.name}": length
        for name, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert found == {}


def sets_state(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"update", "bulk_update"}
        and any(keyword.arg in {"state", "authorisation"} for keyword in node.keywords)
    )


def test_a_state_moves_set_wise_in_the_sweeps_only():
    places = {
        name
        for name, text in sources()
        if name.startswith(HAVE_STATES) and any(sets_state(node) for node in ast.walk(ast.parse(text)))
    }
    assert places <= SETS_STATE


def test_no_app_sends_signals_to_another():
    found = [
        name
        for name, text in sources()
        if name.split("/")[0] in PACKAGES - {"config"} and ("dispatch import" in text or "db.models.signals" in text)
    ]
    assert found == []


def test_beat_pokes_exactly_these_tasks():
    assert {entry["task"] for entry in SCHEDULE.values()} == TASKS


@pytest.mark.parametrize("entry", SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_a_scheduled_task_exists_and_comes_in_intervals(entry):
    current_app.loader.import_default_modules()

    assert entry["task"] in current_app.tasks
    assert timedelta(seconds=5) <= entry["schedule"] <= timedelta(hours=1)


def test_what_is_due_waits_for_no_more_than_thirty_seconds():
    slow = {entry["task"] for entry in SCHEDULE.values() if entry["schedule"] > timedelta(seconds=30)}

    housekeeping = {
        "cms.tasks.forget_imports",
        "cms.tasks.forget_visits",
        "notifications.tasks.forget_old_secrets",
        "renewals.tasks.forget_support_logs",
        "smime.tasks.erase_identity_evidence",
        "smime.tasks.forget_links",
        "smime.tasks.forget_tax_codes",
        "smime.tasks.refresh_trusted_lists",
        "smime.tasks.lapse_abandoned_orders",
    }
    assert slow == housekeeping
