"""Sends cases to the real application and holds every answer against the committed contract."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from config.openapi import FILE
from config.wsgi import application
from tests.contract.holders import body_in_earnest, connection_kept, require_deferred_constraints

CONTRACT = json.loads((Path(__file__).resolve().parents[2] / FILE).read_text(encoding="utf-8"))


class Door:
    """The real WSGI application, reached from the address that a scenario has."""

    address = "127.0.0.1"

    def __call__(self, environ, start_response):
        with connection_kept():
            answer = application(environ | {"REMOTE_ADDR": self.address}, start_response)
            answer.close()
            return [answer.content]


door = Door()


def contract():
    """The committed contract, tied to the application."""
    schema = schemathesis.openapi.from_dict(CONTRACT)
    schema.app = door
    # The contract declares 413 for a body that is too large, which schemathesis does not count as a refusal.
    schema.config.checks.negative_data_rejection.expected_statuses.append("413")
    return schema


OPERATIONS = {result.ok().definition.raw["operationId"]: result.ok() for result in contract().get_all_operations()}


def fields_of(operation):
    """Names of the fields of an operation's body."""
    body = operation.definition.raw.get("requestBody")
    if body is None:
        return []
    shape = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return sorted(CONTRACT["components"]["schemas"][shape]["properties"])


def no_good_body_is_called_bad(_ctx, response, case):
    """What fits the schema may be refused by a rule, never as input. An earnest body has no meta: it is good."""
    is_good = case.meta is None or case.meta.generation.mode.is_positive
    if is_good and response.status_code in {400, 422}:
        assert response.json()["code"] != "input-invalid", (case.body, response.json())


def no_limit_was_met(_ctx, response, case):
    """Otherwise the run would test the limiter. Contacts of one case have a limit that a long wander may meet."""
    assert response.status_code != 429 or case.path.endswith("/case/contacts")


# A rule of the register may refuse what the schema allows; `no_good_body_is_called_bad` judges that instead.
RULED = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
# Calls again without and with a wrong token: once for each operation is enough.
LOCKED = schemathesis.checks.CHECKS.get_one("ignored_auth")


# What goes in earnest into an address.
QUERIES = {"showTextsOfFlow": {"flow": "enroll"}}


class Sender:
    """Sends the cases of one operation and counts what came back."""

    def __init__(self, prepared, name):
        self.prepared, self.name, self.operation = prepared, name, OPERATIONS[name]
        self.seen = Counter()

    @property
    def successes(self):
        return sum(count for status, count in self.seen.items() if 200 <= status < 300)

    def send(self, case, holder):
        """Call, and hold the answer against the contract. Headers that were made to be wrong stay wrong."""
        is_stranger = case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)
        headers = None if is_stranger else {"Authorization": f"Bearer {holder.token}"}
        answer = case.call_and_validate(
            headers=headers,
            additional_checks=[no_good_body_is_called_bad, no_limit_was_met],
            excluded_checks=[RULED, LOCKED] if self.successes else [RULED],
        )
        self.seen[answer.status_code] += 1
        self.require_no_word_of_others(answer, holder)
        require_deferred_constraints()
        return answer

    def require_no_word_of_others(self, answer, holder):
        """A token opens one case; nothing that tells another holder stands in any answer to it."""
        if "security" in self.operation.definition.raw:
            told = answer.content.decode("utf-8", "replace")
            for serial, words in self.prepared.words.items():
                assert serial == holder.card.serial or not [word for word in words if word in told]

    def earnest(self, holder):
        """What the holder's own client sends; None where it would not come to this call."""
        if not self.operation.body:
            return self.operation.Case(query=QUERIES.get(self.name))
        body = body_in_earnest(self.name, holder)
        return None if body is None else self.operation.Case(body=body, media_type="application/json")

    def mixed(self, holder, case, kept):
        """The generated case with some fields of the earnest one."""
        if kept and isinstance(case.body, dict):
            body = body_in_earnest(self.name, holder) or {}
            case.body = case.body | {name: body[name] for name in sorted(kept) if name in body}
        return case
