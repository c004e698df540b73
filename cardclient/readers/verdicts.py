"""Verdicts on a card that nothing done with it can change, read before any code is asked (SogeiExtend §3).

`card-not-personalised` comes from the token's own flags. `puk-locked` is believed only of a driver that tells the
card's counter (`tells_puk_lock` in families.toml): OpenSC's CNS driver reports a locked PIN before any try, so a flag
alone is a hint, and refusing a good card is worse than asking for a PUK in vain. A locked PIN is never final.
"""

from __future__ import annotations

from dataclasses import replace

from cardclient import certificates
from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.ports import CardView, CodeState
from cardclient.readers.families import Families, Guess

NOT_PERSONALISED = "card-not-personalised"
PUK_LOCKED = "puk-locked"
UNREADABLE = "certificate-unreadable"
FAMILY_REFUSED = "family-refused"


def judged(view: CardView, *, families: Families, module: str, guess: Guess | None = None) -> CardView:
    """Return the view with its family by ATR, the module that read it, and its final verdict if there is one."""
    family = guess or families.by_atr(view.atr)
    driver = families.driver_of(module)
    tells = driver is not None and driver.tells_puk_lock
    name = module.replace("\\", "/").rsplit("/", 1)[-1]
    final = view.final or verdict(view, family, tells_puk_lock=tells)
    lengths = family.lengths if family else view.lengths
    return replace(view, family=family.name if family else view.family, driver=name, final=final, lengths=lengths)


def verdict(view: CardView, guess: Guess | None, *, tells_puk_lock: bool) -> str | None:
    """Return the code of the verdict that stands first, or None for a card that may be renewed."""
    if guess and guess.refusal:
        return FAMILY_REFUSED
    if tells_puk_lock and view.puk is CodeState.LOCKED:
        return PUK_LOCKED
    return UNREADABLE if is_unreadable(view) else None


def is_unreadable(view: CardView) -> bool:
    """Tell whether the certificate to log in with cannot be read: the card managers' inactive LOGIN button.

    A card with a readable authentication certificate is not lost to a broken object beside it, and one without any
    certificate is the office's to judge ("Nessun certificato rinnovabile presente nella carta").
    """
    slots, broken = set(), False
    for each in view.certificates:
        try:
            slots.add(certificates.slot_of(certificates.load(each.der)))
        except CardError:
            broken = True
    return broken and Slot.AUTHENTICATION not in slots
