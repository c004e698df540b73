"""The enrollment API's contract (OpenAPI 3.1): what Ninja knows, plus every refusal as a problem document.

Ninja declares `application/json` for each answer and nothing of what the exception handlers say.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from config.statuses import PROBLEM_JSON, status_of
from renewals.api.answers import Problem
from renewals.api.doors import RateLimited
from renewals.api.refusals import KEY, NARROWED, Refusal
from renewals.errors import Unauthenticated

FILE = Path("docs/openapi.json")
COMMAND = "python -m tests.plugin python manage.py write_openapi"

DESCRIPTION = """\
Renewal of smart-card certificates by the card client.

**Order.** `POST /scan` says what can be renewed. `POST /challenges` and `POST /sessions` exchange a signature of the
old key for a bearer token bound to one case. From then on the client does what `next_step` of the case says:
`diagnosis`, `contacts`, `contact-confirmation` (only if the mailbox changed), `acceptance`, `form-signature`,
`requests`, `certificates`, `installation`, then `done`. `closed` ends a case that cannot go on. Steps cannot be
skipped. Every call can be repeated: a step that is done answers with the present case. After any interruption log in
again with the same card and go on.

**Signed texts.** Login, keys and installation texts are ASCII lines, each ended by a line feed: a title
(`Sigillo enrollment login v1`, `... keys v1`, `... installation v1`), then `host: `, `nonce: ` (64 hexadecimal
digits), `card: `, `case: ` (`-` while there is none), then `expires: ` (login) or one line per slot,
`authentication: ` before `signature: `, with the SHA-256 of the new key's SubjectPublicKeyInfo (keys) or of the new
certificate (installation) in hexadecimal. Login and installation texts come from the server and are checked by the
client before it signs; the keys text is built by the client from the case's `host`, `nonce`, `card_serial` and `code`.

**Refusals** are problem documents (RFC 9457). Decide by `code`, follow `action`, show `message` word for word if
there is one, else `detail`. Beside those of each operation: 404 `not-found` and 405 `method-not-allowed` for paths
and methods that are not here, 500 `internal-error`.

**Versions.** A client says its own in the header `Sigillo-Client: 0.2.0`. One below `client.minimum` of
`GET /capabilities` is refused at the login with 426 `client-outdated`; `download` in that problem says where a newer
one is. Answers may grow new fields: ignore those that you do not know.

**Formats.** Bodies are JSON of at most 64 kB (requests for help: 512 kB) and strict: unknown keys are refused. Binary
values are base64. Instants are ISO 8601 in UTC.
"""

TAGS = [
    {"name": "entrance", "description": "For anybody who holds a card; names no person."},
    {"name": "support", "description": "Beside a renewal: what this server offers, and a request for help."},
    {"name": "case", "description": "The steps of the one case that the bearer token is bound to."},
]
SESSION = (
    "Token of `POST /sessions`, valid for thirty minutes, bound to one case. Wrong tokens are counted and lead to 429."
)
_SECONDS = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer"}}
_SCHEME = {"description": "The scheme to log in with.", "required": True, "schema": {"type": "string"}}
_HEADERS = {401: {"WWW-Authenticate": _SCHEME}, 429: {"Retry-After": _SECONDS}, 503: {"Retry-After": _SECONDS}}
# What doors and middleware say beside the use cases.
_UNREADABLE = {"input-invalid": "The body cannot be read as JSON."}
_NOT_AS_SAID = {"input-invalid": "Body or query are not what their schema says; `detail` names the fields."}
_TOO_LARGE = {"body-too-large": "The body is larger than it may be (see Formats), or its length is not told."}
_UNAVAILABLE = {"service-unavailable": "The database is busy or away; nothing was changed."}
_SHARED_NAMES = {
    400: "UnreadableBody",
    401: "SessionInvalid",
    413: "BodyTooLarge",
    422: "InvalidInput",
    429: "RateLimited",
    503: "Unavailable",
}
# References to our own papers say nothing to a client's author.
_OUR_PAPERS = re.compile(r" \((?:[\w.]+\.md|ADR|domain|guide|renewal guide|SogeiExtend guide|HTTP|REG)\b[^)]*\)")


class ContractAPI(NinjaAPI):
    """Ninja with the whole contract in its schema."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name an operation after its view: `begin_login` is `beginLogin`."""
        first, *others = operation.view_func.__name__.split("_")
        return first + "".join(word.capitalize() for word in others)

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Add refusals, headers and descriptions to what Ninja writes."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        components = schema["components"]
        components["schemas"]["Problem"] = Problem.model_json_schema(mode="serialization")
        for shape in components["schemas"].values():
            _without_titles(shape)
        components["securitySchemes"]["CaseSession"]["description"] = SESSION
        components["responses"] = {}
        for path in schema["paths"].values():
            for operation in path.values():
                _complete(operation, components)
        components["responses"] = dict(sorted(components["responses"].items()))
        return schema


def document(api: NinjaAPI) -> str:
    """Return the contract as it is committed."""
    return json.dumps(api.get_openapi_schema(), indent=2, ensure_ascii=False) + "\n"


def _complete(operation: dict[str, Any], components: dict[str, Any]) -> None:
    """Describe what an operation answers, good and bad. Refusals that many operations share are written once."""
    for status, response in operation["responses"].items():
        response["description"] = _meaning(response, components["schemas"])
        if status == 202:
            response["description"] = "The certification authority is still at it: ask again."
            response["headers"] = {"Retry-After": _SECONDS}
    for status, codes in sorted(_refusals(operation).items()):
        operation["responses"][status] = _response(status, codes)
    for status, codes in sorted(_shared(operation).items()):
        if status in operation["responses"]:
            continue
        name = _SHARED_NAMES[status]
        components["responses"][name] = _response(status, codes)
        operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _meaning(response: dict[str, Any], schemas: dict[str, Any]) -> str:
    """What a good answer holds, in its shape's own words."""
    for media_type, content in response["content"].items():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        return str(schemas[name]["description"]) if name else f"The document ({media_type})."
    raise LookupError("an answer without content")


def _refusals(operation: dict[str, Any]) -> dict[int, dict[str, str]]:
    """The operation's own codes by status, each with a sentence."""
    codes: dict[int, dict[str, str]] = defaultdict(dict)
    for kind in operation.pop(KEY):
        codes[status_of(kind) or 500] |= NARROWED.get(kind, {kind.code: _sentence(kind)})
    if 401 in codes and "security" in operation:
        codes[401] |= {Unauthenticated.code: _sentence(Unauthenticated)}
    if 422 in codes:
        codes[422] |= _NOT_AS_SAID
    return codes


def _shared(operation: dict[str, Any]) -> dict[int, dict[str, str]]:
    """Codes that any operation of its kind may answer with."""
    codes = {413: _TOO_LARGE, 429: {RateLimited.code: _sentence(RateLimited)}, 503: _UNAVAILABLE}
    if "security" in operation:
        codes[401] = {Unauthenticated.code: _sentence(Unauthenticated)}
    if "requestBody" in operation:
        codes |= {400: _UNREADABLE, 422: _NOT_AS_SAID}
    if operation.get("parameters"):
        codes[422] = _NOT_AS_SAID
    return codes


def _sentence(kind: Refusal) -> str:
    return _OUR_PAPERS.sub("", (kind.__doc__ or "").strip().partition("\n")[0])


def _response(status: int, codes: dict[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {"status": {"const": status}, "code": {"enum": list(codes)}}
    if status == 426:
        properties["download"] = {"type": "string", "description": "Where a newer client is."}
    narrowed = {"properties": properties}
    shape = {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {sentence}" for code, sentence in codes.items()),
        "content": {PROBLEM_JSON: {"schema": shape}},
    }
    if status in _HEADERS:
        response["headers"] = _HEADERS[status]
    return response


def _without_titles(shape: dict[str, Any]) -> None:
    """Pydantic repeats each field's name as its title."""
    for field in shape.get("properties", {}).values():
        field.pop("title", None)
