"""Scarica: the card client with what it needs, and its files. For anybody: no visit, no cookie, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import condition, require_safe

from cms.models import CardFamily
from renewals import releases
from renewals.pages import frame
from renewals.releases import ReleaseFile

KEPT_SECONDS = 3600
_SYSTEMS = MappingProxyType(
    {
        "windows-x64": ("Windows", gettext_lazy("Windows 10 e 11, 64 bit"), "certutil -hashfile {name} SHA256"),
        "linux-x64": ("Linux", gettext_lazy("Linux, 64 bit"), "sha256sum {name}"),
        "macos": ("macOS", gettext_lazy("macOS 12 o successivi"), "shasum -a 256 {name}"),
    }
)


@dataclass(frozen=True, slots=True)
class Download:
    """One file as the page offers it; `check` is the command that computes its digest."""

    system: str
    platform: str
    name: str
    size: str
    sha256: str
    address: str
    check: str


@dataclass(frozen=True, slots=True)
class Cards:
    """Families that need the same: their codes, and one of them for what they share."""

    codes: str
    family: CardFamily


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Offer the files of the release, or say that there are none; and what is needed before one starts."""
    release = releases.release()
    files = release.files if release else ()
    systems = {file.system for file in files}
    return frame.show(
        request,
        "scarica.html",
        version=release.version if release else "",
        files=[_offered(file) for file in files],
        has_mac="macos" in systems,
        cards=list(_cards()),
        refused=list(CardFamily.objects.filter(renewable=False).order_by("code")),
        hosts=releases.hosts(),
    )


def _etag(_request: HttpRequest, name: str) -> str | None:
    file = _named(name)
    return f'"{file.sha256}"' if file else None


@require_safe
@condition(etag_func=_etag)
def send(_request: HttpRequest, name: str) -> HttpResponseBase:
    """Hand out one file of the release; whatever else lies in the folder does not exist."""
    file = _named(name)
    if file is None:
        raise Http404
    answer = FileResponse(
        releases.path_of(file).open("rb"),
        as_attachment=True,
        filename=file.name,
        content_type="application/octet-stream",
    )
    answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    answer["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode('ascii')}:"  # RFC 9530 §3
    return answer


def _named(name: str) -> ReleaseFile | None:
    """The file of that name, where this machine is the one that hands it out."""
    release = releases.release()
    found = (file for file in (release.files if release else ()) if file.name == name)
    file = next(found, None)
    return file if file is not None and releases.path_of(file).is_file() else None


def _offered(file: ReleaseFile) -> Download:
    system, platform, check = _SYSTEMS[file.system]
    return Download(
        system=system,
        platform=str(platform),
        name=file.name,
        size=filesizeformat(file.size),
        sha256=file.sha256,
        address=releases.file_address(file),
        check=check.format(name=file.name),
    )


def _cards() -> Iterator[Cards]:
    """Renewable families, those that need the same together, as the guides list them."""
    families = list(CardFamily.objects.filter(renewable=True).exclude(driver=""))
    for _same, group in groupby(sorted(families, key=_needs), key=lambda family: _needs(family)[:-1]):
        members = list(group)
        yield Cards(", ".join(member.code for member in members), members[0])


def _needs(family: CardFamily) -> tuple[Any, ...]:
    return (
        family.driver,
        family.driver_address,
        family.management_tool,
        family.asks_puk,
        family.reinsert_after,
        family.code,
    )


def choice() -> dict[str, str]:
    """How the entrance of the holder's pages leads here."""
    return {
        "icon": "download",
        "address": releases.download_page(),
        "title": _("Scarichi il programma di rinnovo"),
        "text": _("Che cosa serve, quali driver vuole la Sua carta, e il programma stesso."),
    }
