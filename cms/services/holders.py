"""Holders: who they are, and how they are reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from cms.contacts import Contacts, email_key
from cms.errors import ContactTaken
from cms.models import Centre, Holder, Registration
from cms.tax_code import parse_tax_code

# Message ids: translated when a mail is rendered.
FIELD_NAMES = {
    "email": _("E-mail"),
    "mobile": _("Cellulare"),
    "street": _("Indirizzo"),
    "postcode": _("CAP"),
    "town": _("Comune"),
    "province": _("Provincia"),
}


def register_holder(
    *, tax_code: str, given_name: str, surname: str, centre: Centre, contacts: Contacts | None, at: datetime
) -> Holder:
    """Find or create the person of that codice fiscale and let the centre see him. Contacts of a known person stay."""
    holder, created = Holder.objects.get_or_create(
        tax_code=parse_tax_code(tax_code), defaults={"given_name": given_name, "surname": surname}
    )
    if created and contacts is not None:
        change_contacts(holder.pk, contacts)
        holder.refresh_from_db()
    Registration.objects.get_or_create(holder=holder, centre=centre, defaults={"created_at": at})
    return holder


def register_holders(people: Sequence[Holder], *, centre: Centre, at: datetime) -> dict[str, Holder]:
    """Do the same for many, in a few statements; unsaved people come in, the register's come out by codice fiscale.

    Who is known stays as he is; of two with one codice fiscale the first counts. Raises IntegrityError when a contact
    belongs to somebody else.
    """
    codes = {person.tax_code for person in people}
    known = set(Holder.objects.filter(tax_code__in=codes).values_list("tax_code", flat=True))
    first = {person.tax_code: person for person in reversed(people) if person.tax_code not in known}
    Holder.objects.bulk_create(first.values())
    holders = {holder.tax_code: holder for holder in Holder.objects.filter(tax_code__in=codes)}
    links = [Registration(holder=holder, centre=centre, created_at=at) for holder in holders.values()]
    Registration.objects.bulk_create(links, ignore_conflicts=True)
    return holders


def require_contacts_free(contacts: Contacts, *, holder_id: int) -> None:
    """Raise `ContactTaken` if e-mail or mobile belongs to another person; both are always looked up."""
    taken = Holder.objects.filter(Q(email_key=contacts.email_key) | Q(mobile=contacts.mobile)).exclude(pk=holder_id)
    if taken.exists():
        raise ContactTaken


def change_contacts(holder_id: int, contacts: Contacts) -> None:
    """Store the contacts of a person. The database's unique indexes decide when two people ask at once."""
    require_contacts_free(contacts, holder_id=holder_id)
    try:
        with transaction.atomic():
            Holder.objects.filter(pk=holder_id).update(
                email=contacts.email,
                email_key=email_key(contacts.email),
                mobile=contacts.mobile,
                street=contacts.street,
                postcode=contacts.postcode,
                town=contacts.town,
                province=contacts.province,
            )
    except IntegrityError as clash:
        raise ContactTaken from clash


def changed_fields(holder: Holder, contacts: Contacts) -> list[str]:
    """Names of the fields that these contacts would change, as mails name them; never their values."""
    return [said for name, said in FIELD_NAMES.items() if (getattr(holder, name) or "") != getattr(contacts, name)]
