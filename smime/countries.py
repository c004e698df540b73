"""Countries of incorporation that the wizard offers: ISO 3166-1 codes with their Italian names."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

COUNTRIES = (
    ("IT", _("Italia")),
    ("AT", _("Austria")),
    ("BE", _("Belgio")),
    ("BG", _("Bulgaria")),
    ("CY", _("Cipro")),
    ("VA", _("Città del Vaticano")),
    ("HR", _("Croazia")),
    ("DK", _("Danimarca")),
    ("EE", _("Estonia")),
    ("FI", _("Finlandia")),
    ("FR", _("Francia")),
    ("DE", _("Germania")),
    ("GR", _("Grecia")),
    ("IE", _("Irlanda")),
    ("IS", _("Islanda")),
    ("LV", _("Lettonia")),
    ("LI", _("Liechtenstein")),
    ("LT", _("Lituania")),
    ("LU", _("Lussemburgo")),
    ("MT", _("Malta")),
    ("MC", _("Monaco")),
    ("NO", _("Norvegia")),
    ("NL", _("Paesi Bassi")),
    ("PL", _("Polonia")),
    ("PT", _("Portogallo")),
    ("GB", _("Regno Unito")),
    ("CZ", _("Repubblica Ceca")),
    ("RO", _("Romania")),
    ("SM", _("San Marino")),
    ("SK", _("Slovacchia")),
    ("SI", _("Slovenia")),
    ("ES", _("Spagna")),
    ("US", _("Stati Uniti")),
    ("SE", _("Svezia")),
    ("CH", _("Svizzera")),
    ("HU", _("Ungheria")),
)
NAMES = dict(COUNTRIES)
CODES = frozenset(NAMES)
