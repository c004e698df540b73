"""The committed contract is what the code does, and says enough to write a client from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from config import openapi
from config.api import api
from config.openapi import COMMAND, FILE
from config.statuses import PROBLEM_JSON
from renewals.api.refusals import NARROWED
from renewals.errors import KeyUnfit, RequestInvalid

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = json.loads((ROOT / FILE).read_text(encoding="utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
}
SCHEMAS = CONTRACT["components"]["schemas"]

every_operation = pytest.mark.parametrize("name", OPERATIONS)


def resolved(part):
    """Follow a reference inside the contract."""
    while "$ref" in part:
        found = CONTRACT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def answers(name):
    return {int(status): resolved(response) for status, response in OPERATIONS[name]["responses"].items()}


def test_the_committed_contract_is_the_codes():
    assert openapi.document(api) == (ROOT / FILE).read_text(encoding="utf-8"), f"write {FILE} anew: {COMMAND}"


def test_the_contract_is_openapi_3_1_with_names_and_words():
    assert CONTRACT["openapi"].startswith("3.1")
    assert "next_step" in CONTRACT["info"]["description"]
    assert {tag["name"] for tag in CONTRACT["tags"]} == {
        tag for operation in OPERATIONS.values() for tag in operation["tags"]
    }


def test_operation_names_are_unique():
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@every_operation
def test_an_operation_is_explained(name):
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert all(response["description"] for response in answers(name).values())


@every_operation
def test_every_refusal_is_a_problem_document_that_names_its_codes(name):
    refusals = {status: response for status, response in answers(name).items() if status >= 400}
    assert {413, 429, 503} <= set(refusals)
    for status, response in refusals.items():
        assert list(response["content"]) == [PROBLEM_JSON]
        shape, narrowed = response["content"][PROBLEM_JSON]["schema"]["allOf"]
        assert shape == {"$ref": "#/components/schemas/Problem"}
        assert narrowed["properties"]["status"] == {"const": status}
        for code in narrowed["properties"]["code"]["enum"]:
            assert f"`{code}`: " in response["description"]


@every_operation
def test_what_needs_a_session_says_so(name):
    is_case = name.split()[1].startswith("/api/enrollment/v1/case")
    assert ("security" in OPERATIONS[name]) == is_case
    if is_case:
        assert OPERATIONS[name]["security"] == [{"CaseSession": []}]
        assert 401 in answers(name)


@every_operation
def test_an_answer_that_says_wait_says_how_long(name):
    for status, response in answers(name).items():
        assert ("Retry-After" in response.get("headers", {})) == (status in {202, 429, 503})


def test_a_session_is_a_bearer_token():
    scheme = CONTRACT["components"]["securitySchemes"]["CaseSession"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert scheme["description"]


def test_the_form_is_a_pdf():
    form = answers("GET /api/enrollment/v1/case/form.pdf")[200]
    assert list(form["content"]) == ["application/pdf"]


def test_every_body_is_strict():
    bodies = [operation["requestBody"] for operation in OPERATIONS.values() if "requestBody" in operation]
    waiting = [body["content"]["application/json"]["schema"] for body in bodies]
    strict = 0
    while waiting:
        part = waiting.pop()
        shape = resolved(part)
        if shape.get("type") == "object":
            assert shape["additionalProperties"] is False, part
            strict += 1
        waiting += [*shape.get("properties", {}).values(), *shape.get("anyOf", [])]
        waiting += [shape["items"]] if "items" in shape else []
    assert strict >= len(bodies) > 0


def test_every_text_that_is_sent_is_bounded():
    """No string of a body is unlimited: by length, or by a pattern without * or +."""
    for name, schema in SCHEMAS.items():
        if not schema.get("additionalProperties", True):
            for field, shape in schema["properties"].items():
                for part in (shape, *shape.get("anyOf", [])):
                    bounded = "maxLength" in part or "enum" in part or not re.search(r"[*+]", part.get("pattern", "*"))
                    assert part.get("type") != "string" or bounded, f"{name}.{field}"


def test_every_reason_of_the_key_gate_is_in_the_contract():
    """`pki.csr` and `pki.keys` narrow a refusal by a code; the contract lists the same."""
    told = {
        kind: set(re.findall(rf'"({prefix}-[a-z-]+)"', (ROOT / module).read_text(encoding="utf-8")))
        for kind, module, prefix in ((RequestInvalid, "pki/csr.py", "csr"), (KeyUnfit, "pki/keys.py", "key"))
    }
    assert told == {kind: set(NARROWED[kind]) for kind in told}


def test_the_contract_names_no_place_or_paper_of_ours():
    text = json.dumps(CONTRACT)
    assert not re.search(r"\.md\b|\.py\b|localhost|https?://(?!datatracker)", text)
