"""`renewals/client_codes.json`: the client's words for each code, for the desk that answers requests for help.

The server imports nothing of the client, so its table is written down beside the page that shows it.
"""

from __future__ import annotations

import json

from cardclient import messages
from cardclient.words import Language, translated


def document() -> str:
    """Write the whole table: by code and language what the holder was told, what happened, what he is to do."""
    said = {
        code: {
            language.value: {
                "told": translated(row.guide.text, language) if not row.pauses else translated(row.cause, language),
                "cause": "" if row.pauses else translated(row.cause, language),
                "advice": translated(row.advice, language),
            }
            for language in Language
        }
        for code, row in sorted(messages.rows().items())
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"
