"""Operatori: who works in a centre, who is invited, and what managers and administrators change about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.desk import Desk
from cms.admin.entrance import confirmed_recently
from cms.admin.office import Office, Question, ask_or_do, in_office, is_office_open_to, office_of
from cms.admin.paging import page_of
from cms.admin.people_forms import InvitationForm, RoleForm
from cms.admin.site import ADMINISTRATION, PanelPage, View
from cms.admin.staff import (
    ROLE_BADGES,
    administrators,
    chosen_centre,
    factors_of,
    facts_of_invitation,
    facts_of_place,
    invitation_within,
    may_care,
    open_invitations,
    person_within,
    place_within,
    places_of,
    rows_of,
)
from cms.models import Membership
from cms.services import access, invitations
from cms.states import Role
from cms.tax_code import masked


class PeoplePage(PanelPage):
    """Operatori."""

    slug = "operatori"
    title = gettext_lazy("Operatori")
    icon = "user"
    group = ADMINISTRATION
    url_name = "people"

    def pages(self) -> Sequence[URLPattern]:
        """The list, a person's page, and one page for each thing that can be done."""
        reading: dict[str, tuple[View, str]] = {
            "": (self.show_list, "people"),
            "<int:person>/": (self.show_person, "person"),
        }
        acting: dict[str, tuple[View, str]] = {
            "invita/": (self.invite, "invite"),
            "inviti/<uuid:uid>/rinvia/": (self.resend, "resend_invitation"),
            "inviti/<uuid:uid>/ritira/": (self.withdraw, "withdraw_invitation"),
            "<int:person>/ruolo/<int:centre>/": (self.change_role, "change_role"),
            "<int:person>/togli/<int:centre>/": (self.remove, "remove_member"),
            "<int:person>/fattori/": (self.remove_factors, "remove_factors"),
            "<int:person>/disattiva/": (self.close, "close_account"),
            "<int:person>/riattiva/": (self.reopen, "open_account"),
        }
        read = [path(route, in_office(self, require_safe(view)), name=name) for route, (view, name) in reading.items()]
        act = [
            path(route, in_office(self, confirmed_recently(view)), name=name) for route, (view, name) in acting.items()
        ]
        return [*read[:1], *act[:1], *read[1:], *act[1:]]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators, managers, auditors."""
        return is_office_open_to(desk)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show members and open invitations of the centres that he may look at."""
        office = office_of(request)
        chosen = chosen_centre(request, office)
        centres = office.centres if chosen is None else office.centres.filter(pk=chosen.pk)
        found = Membership.objects.filter(centre__in=centres).select_related("user", "centre")
        page = page_of(found, request.GET)
        context = {
            **self.admin_site.each_context(request),
            "office": office,
            "chosen": chosen,
            "page": page,
            "rows": rows_of(page.rows),
            "administrators": administrators(office, chosen),
            "invitations": open_invitations(office, centres, chosen),
            "now": office.now,
            "title": self.title,
        }
        return render(request, "admin/cms/people.html", context)

    def show_person(self, request: HttpRequest, person: int) -> HttpResponse:
        """Show one account: its places within reach, its second factors, and what may be done."""
        office = office_of(request)
        user = person_within(office, person)
        context = {
            **self.admin_site.each_context(request),
            "office": office,
            "person": user,
            "tax_code": masked(user.tax_code) if user.tax_code else "",
            "places": [
                (each, ROLE_BADGES[Role(each.role)], office.staffs(each.centre_id)) for each in places_of(office, user)
            ],
            "factors": factors_of([user.pk])[user.pk].badge,
            "is_oneself": user.pk == office.operator.pk,
            "may_care": may_care(office, user),
            "title": str(user),
        }
        return render(request, "admin/cms/people_person.html", context)

    def invite(self, request: HttpRequest) -> HttpResponse:
        """GET asks whom, POST sends the invitation."""
        office = office_of(request)
        chosen = chosen_centre(request, office)
        form = InvitationForm(office, request.POST or None, initial={"place": chosen.pk if chosen else None})
        question = Question(
            title=_("Invita una persona"),
            action=_("Manda l'invito"),
            back=reverse("admin:people"),
            consequence=[
                _("La persona riceve per e-mail un collegamento che vale una volta sola."),
                _("Imposta la password e un secondo fattore; solo dopo può entrare."),
            ],
            form=form,
        )

        def deed() -> None:
            invitations.invite(form.invitee(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Invito inviato."))

    def resend(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """GET asks, POST sends a new link."""
        office = office_of(request)
        question = Question(
            title=_("Manda di nuovo l'invito"),
            action=_("Manda un nuovo collegamento"),
            back=reverse("admin:people"),
            facts=facts_of_invitation(invitation_within(office, uid)),
            consequence=[_("Il collegamento di prima non vale più."), _("Il nuovo vale una volta sola.")],
        )
        deed = _with(invitations.resend_invitation, uid, office)
        return ask_or_do(request, self, question, deed, _("Nuovo collegamento inviato."))

    def withdraw(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """GET asks, POST withdraws."""
        office = office_of(request)
        question = Question(
            title=_("Ritira l'invito"),
            action=_("Ritira l'invito"),
            back=reverse("admin:people"),
            facts=facts_of_invitation(invitation_within(office, uid)),
            consequence=[_("Il collegamento inviato non vale più. La persona non viene avvisata.")],
            is_risky=True,
        )
        return ask_or_do(
            request, self, question, _with(invitations.withdraw_invitation, uid, office), _("Invito ritirato.")
        )

    def change_role(self, request: HttpRequest, person: int, centre: int) -> HttpResponse:
        """GET asks for the role, POST changes it."""
        office = office_of(request)
        place = place_within(office, person, centre)
        form = RoleForm(request.POST or None, initial={"role": place.role})
        question = Question(
            title=_("Cambia il ruolo"),
            action=_("Cambia il ruolo"),
            back=reverse("admin:person", args=[person]),
            facts=facts_of_place(place),
            consequence=[_("Il nuovo ruolo vale subito, dal prossimo clic.")],
            form=form,
        )

        def deed() -> None:
            access.change_role(person, centre, form.cleaned_data["role"], operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Ruolo cambiato."))

    def remove(self, request: HttpRequest, person: int, centre: int) -> HttpResponse:
        """GET asks, POST takes the access to a centre away."""
        office = office_of(request)
        question = Question(
            title=_("Togli l'accesso al CDRL"),
            action=_("Togli l'accesso"),
            back=reverse("admin:people"),
            facts=facts_of_place(place_within(office, person, centre)),
            consequence=[
                _("Le sue sessioni aperte vengono chiuse subito e non vede più nulla di questo CDRL."),
                _("Le operazioni che ha compiuto restano registrate. Per farla tornare serve un nuovo invito."),
            ],
            is_risky=True,
        )

        def deed() -> None:
            access.remove_member(person, centre, operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Accesso tolto."))

    def remove_factors(self, request: HttpRequest, person: int) -> HttpResponse:
        """GET asks, POST forgets the second factors."""
        consequence = [
            _("Passkey, app e codici di recupero non valgono più; le sessioni aperte vengono chiuse subito."),
            _(
                "Al prossimo accesso, dopo la password, la persona ne attiva di nuovi. "
                "Verifichi prima che sia proprio quella persona a chiederlo."
            ),
        ]
        named = (_("Rimuovi i secondi fattori"), _("Secondi fattori rimossi."))
        return self._about_account(request, person, named, consequence, access.remove_factors)

    def close(self, request: HttpRequest, person: int) -> HttpResponse:
        """GET asks, POST deactivates the account."""
        consequence = [
            _("L'account non può più entrare in nessun CDRL; le sessioni aperte vengono chiuse subito."),
            _("Ruoli e operazioni restano registrati: l'account può essere riattivato."),
        ]
        named = (_("Disattiva l'account"), _("Account disattivato."))
        return self._about_account(request, person, named, consequence, access.close_account)

    def reopen(self, request: HttpRequest, person: int) -> HttpResponse:
        """GET asks, POST reactivates the account."""
        consequence = [_("L'account può entrare di nuovo, con i ruoli e i secondi fattori che aveva.")]
        named = (_("Riattiva l'account"), _("Account riattivato."))
        return self._about_account(request, person, named, consequence, access.open_account, is_risky=False)

    def _about_account(
        self,
        request: HttpRequest,
        person: int,
        named: tuple[str, str],
        consequence: Sequence[str],
        use_case: Any,
        **look: bool,
    ) -> HttpResponse:
        office = office_of(request)
        user = person_within(office, person)
        question = Question(
            title=named[0],
            action=named[0],
            back=reverse("admin:person", args=[person]),
            facts=[(_("Persona"), str(user)), (_("E-mail"), user.email)],
            consequence=consequence,
            is_risky=look.get("is_risky", True),
        )
        return ask_or_do(request, self, question, _with(use_case, person, office), named[1])


def _with(use_case: Any, subject: Any, office: Office) -> Any:
    return lambda: use_case(subject, operator=office.operator, now=office.now)
