"""Texts that try to become markup, script, template, formula or header, and the columns that people can fill."""

from __future__ import annotations

from runtime.embedded.postgres import PostgresAddress

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '" autofocus onfocus=alert(1) x="',
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<base href=//esempio.example.org/>",
    "<meta http-equiv=refresh content=0;url=javascript:alert(1)>",
    "<form action=//esempio.example.org><button>Approva",
    "<a href=javascript:alert(1)>qui</a>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mtext></mtext><script>alert(1)</script>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//esempio.example.org/x>",
    "<body onload=alert(1)>",
    "{{ request.user.password }}",
    "{% load static %}{% debug %}",
    "${alert(1)} #{7*7} <%= 7*7 %>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202etpircs<\u202c \u0000".replace("\u0000", ""),
    '=HYPERLINK("http://esempio.example.org";"x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3\r\nSet-Cookie: rubato=1",
)

# Table, column and how much fits. What must be unique gets its row's number behind it.
COLUMNS = (
    ("cms_holder", "given_name", 60),
    ("cms_holder", "surname", 60),
    ("cms_holder", "street", 100),
    ("cms_holder", "town", 70),
    ("cms_card", "serial", 20),
    ("cms_cardfamily", "name", 70),
    ("cms_centre", "name", 100),
    ("cms_service", "name", 100),
    ("cms_user", "full_name", 100),
    ("cms_event", "reason", 200),
    ("cms_revocationproposal", "note", 200),
    ("cms_purchaserequest", "order_reference", 40),
    ("cms_purchaserequest", "note", 150),
    ("cms_stockmovement", "reference", 50),
    ("cms_stockmovement", "reason", 150),
    ("cms_jobrow", "text", 200),
    ("cms_jobrow", "code", 40),
    ("cms_jobfile", "name", 100),
    ("cms_invitation", "full_name", 100),
    ("cms_carequest", "last_error", 50),
    ("renewals_renewalcase", "close_reason", 150),
    ("renewals_renewalcase", "decision_reason", 200),
    ("notifications_outboxmessage", "last_error", 60),
)
UNIQUE = {("cms_card", "serial"), ("cms_service", "name"), ("cms_stockmovement", "reference")}
BY_TEXT = {"notifications_outboxmessage"}

FILL = "UPDATE {table} SET {column} = left((%s::text[])[({number} + %s) %% 40 + 1], {fits}) || {behind}"


def fill(superuser: PostgresAddress, turn: int) -> None:
    """Put a payload into every cell of those columns; another one each turn, so that forty turns try all everywhere."""
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for place, (table, column, fits) in enumerate(COLUMNS):
            number = "0" if table in BY_TEXT else "id"
            behind = "' ' || id" if (table, column) in UNIQUE else "''"
            statement = FILL.format(table=table, column=column, number=number, fits=fits, behind=behind)
            boss.execute(statement, [list(PAYLOADS), turn + place])
