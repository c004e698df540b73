"""The page that a person sees at the stand-in, and the pictures that it hands out: made-up ones, and visibly so."""

from __future__ import annotations

import io
from html import escape

from PIL import Image, ImageDraw

from smime.idp_stand_in.payloads import Session
from smime.idp_stand_in.sessions import FAULTS

_STYLE = """
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#17324d;background:#f5f7fa}
main{max-width:36rem;margin:0 auto;padding:1.5rem}
.note{background:#fff4db;color:#6b4600;padding:.75rem 1rem;border-radius:6px}
h1{font-size:1.5rem}
fieldset{border:1px solid #d9dee4;border-radius:6px;background:#fff;margin:0 0 1rem;padding:1rem}
button{display:block;width:100%;min-height:44px;margin:.5rem 0;border:1px solid #0066cc;border-radius:6px;
background:#06c;color:#fff;font:inherit}
button.other{background:#fff;color:#06c}
select{font:inherit;min-height:44px;width:100%}
"""
_BUTTONS = (
    ("APPROVED", "Riconoscimento riuscito", ""),
    ("SUSPECTED", "Riuscito, con dati diversi dal documento", "other"),
    ("DENIED", "Riconoscimento fallito", "other"),
    ("EXPIRED", "Lascia scadere la sessione", "other"),
)
_FAULTS = {
    "": "nessuno",
    "replay": "lo stesso messaggio cento volte",
    "out-of-order": "messaggi in disordine",
    "lie": "il messaggio dice il contrario",
    "review": "prima una revisione umana",
    "silent": "nessun messaggio",
    "slow": "risposte lente (oltre dieci secondi)",
}


def choice(session: Session) -> bytes:
    """Write the page on which the person chooses how the identification ends."""
    name = escape(f"{session.wish.get('firstName') or ''} {session.wish.get('lastName') or ''}".strip() or "–")
    buttons = "".join(
        f'<button class="{css}" name="outcome" value="{value}">{label}</button>' for value, label, css in _BUTTONS
    )
    options = "".join(f'<option value="{fault}">{_FAULTS[fault]}</option>' for fault in FAULTS)
    minutes = session.session_seconds // 60
    return _page(
        "Riconoscimento di prova",
        f"""<p class="note">Questo non è un vero fornitore: nessuno viene riconosciuto, non si scattano fotografie.</p>
<p>Destinatario: <strong>{name}</strong> · tempo a disposizione: {minutes} minuti</p>
<form method="post" action="/api/v2/redirect?authToken={escape(session.auth_token)}">
<fieldset><legend>Come finisce?</legend>{buttons}</fieldset>
<fieldset><legend>Difetto del fornitore</legend>
<select name="fault" aria-label="Difetto del fornitore">{options}</select></fieldset>
</form>""",
    )


def over() -> bytes:
    """Say that a session cannot be used any more."""
    return _page("Sessione terminata", "<p>Questa sessione è già finita o è scaduta.</p>")


def picture(session: Session, name: str) -> bytes:
    """Draw a photo of nothing: a grey card that says what it stands for (JPEG), and in a comment of which session."""
    size = (800, 1000) if name == "FACE" else (1012, 638)
    image = Image.new("RGB", size, "#c7d3de")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, size[0] - 40, size[1] - 40), outline="#17324d", width=6)
    words = {"FRONT": "DOCUMENTO DI PROVA - FRONTE", "BACK": "DOCUMENTO DI PROVA - RETRO", "FACE": "VOLTO DI PROVA"}
    person = f"{session.wish.get('firstName') or ''} {session.wish.get('lastName') or ''}".upper()
    lines = [words[name], person if name == "FRONT" else "", session.scan_ref[:8]]
    draw.multiline_text((80, 90), "\n\n".join(filter(None, lines)), fill="#17324d", font_size=34)
    if name == "FACE":
        draw.ellipse((250, 330, 550, 730), outline="#17324d", width=6)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80, comment=mark(session, name))
    return content.getvalue()


def mark(session: Session, name: str) -> bytes:
    """By these bytes a copy of a photo is found, wherever it has come to lie."""
    return f"sigillo-idp {name} {session.scan_ref}".encode()


def _page(title: str, body: str) -> bytes:
    return f"""<!doctype html><html lang="it"><head><meta charset="utf-8"><title>{title} · sigillo-idp</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>""".encode()
