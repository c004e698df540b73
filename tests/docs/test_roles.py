"""The table of roles is the code's, and says what the product promises."""

from __future__ import annotations

import pytest

from cms.states import Role
from tests.docs import roles

AUDITOR, OPERATOR, MANAGER = Role.AUDITOR.value, Role.OPERATOR.value, Role.MANAGER.value


@pytest.fixture(scope="module")
def allowed():
    return {name.split(".services.")[1]: roles.roles_of(case) for name, case in roles.use_cases().items()}


def test_an_auditor_changes_nothing(allowed):
    assert {name for name, who in allowed.items() if AUDITOR in who} <= {
        "trail.record_export",
        "rehearsal.record_export",
    }


def test_an_administrator_decides_on_no_renewal_and_touches_no_certificate(allowed):
    for name, who in allowed.items():
        if name.split(".")[0] in {"decisions", "bulk", "letters", "holds", "revocations", "intake"}:
            assert who == {OPERATOR, MANAGER}, name


def test_people_are_looked_after_by_managers_and_administrators_and_accounts_by_administrators_alone(allowed):
    for name in ("invitations.invite", "access.change_role", "access.remove_member", "access.remove_factors"):
        assert allowed[name] == {MANAGER, roles.ADMINISTRATOR}, name
    for name in ("access.close_account", "access.open_account"):
        assert allowed[name] == {roles.ADMINISTRATOR}, name


def test_what_is_agreed_and_what_is_credited_is_the_providers(allowed):
    for name, who in allowed.items():
        if name.startswith("organisations.") or name in {"purchases.credit_purchase", "stock.correct_stock"}:
            assert who == {roles.ADMINISTRATOR}, name
    assert allowed["purchases.request_purchase"] == {MANAGER}


def test_every_use_case_for_an_operator_is_guarded(allowed):
    assert [name for name, who in allowed.items() if who == roles.EVERYBODY and "record_export" not in name] == []
