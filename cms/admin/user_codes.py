"""A holder's *codice utente* at the panel: whether errors have closed its path; open it, or mail a new code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin import pair_list
from cms.admin.desk import Desk, at
from cms.admin.office import Question, ask_or_do
from cms.admin.site import PanelAdmin
from cms.models import Holder
from cms.services import codes


class IdentityForm(forms.Form):
    """What no register can know: that the right person is asking."""

    identity = forms.BooleanField(
        label=gettext_lazy("Ho verificato l'identità del titolare"),
        error_messages={"required": gettext_lazy("Verifichi l'identità del titolare e lo confermi.")},
    )


class UserCodePages(PanelAdmin):
    """Pages below a holder's; the pages of certificates include them."""

    def code_pages(self) -> Sequence[URLPattern]:
        """Two questions."""
        return [
            path("titolare/<int:pk>/codice/nuovo/", self.at_desk(self.reissue), name="reissue_user_code"),
            path("titolare/<int:pk>/codice/riapri/", self.at_desk(self.reopen), name="reopen_user_code"),
        ]

    def code_of(self, desk: Desk, holder: Holder) -> dict[str, Any]:
        """What the holder's page says of his code."""
        return {
            "is_closed": codes.is_closed(holder),
            "set_at": holder.user_code_set_at,
            "may_act": _centre_of(desk, holder.pk) is not None,
        }

    def reissue(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks, POST mails a new code to the registered mailbox."""
        desk, holder = at(request), _holder(request, pk)
        centre_id = _acting_for(desk, holder)
        question = Question(
            title=_("Invia un nuovo codice utente"),
            action=_("Invia il nuovo codice"),
            back=reverse("admin:holder", args=[pk]),
            facts=[(_("Titolare"), holder.full_name), (_("E-mail registrata"), holder.email or "–")],
            consequence=[
                _("Il titolare riceve il nuovo codice all'e-mail registrata. Nessun altro lo vede."),
                _("Il codice di prima non vale più, e l'accesso chiuso per troppi errori si riapre."),
            ],
            form=IdentityForm(request.POST if request.method == "POST" else None),
        )

        def deed() -> bool:
            return codes.reissue_code(pk, centre_id=centre_id, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Nuovo codice utente inviato all'e-mail registrata."))

    def reopen(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks, POST lets the holder use his code again."""
        desk, holder = at(request), _holder(request, pk)
        centre_id = _acting_for(desk, holder)
        question = Question(
            title=_("Riapri l'accesso con il codice utente"),
            action=_("Riapri l'accesso"),
            back=reverse("admin:holder", args=[pk]),
            facts=[(_("Titolare"), holder.full_name)],
            consequence=[_("Il titolare può di nuovo entrare con il codice che ha. Gli errori si contano da capo.")],
            form=IdentityForm(request.POST if request.method == "POST" else None),
        )

        def deed() -> bool:
            return codes.reopen_code(pk, centre_id=centre_id, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Accesso con il codice utente riaperto."))


def _holder(request: HttpRequest, pk: int) -> Holder:
    """The person, by the rule of his own page: somebody with certificates of the chosen service."""
    desk = at(request)
    holder = Holder.objects.filter(pk=pk).first()
    if holder is None or not pair_list.in_scope(desk).filter(holder_id=pk).exists():
        raise Http404
    return holder


def _acting_for(desk: Desk, holder: Holder) -> int:
    """For which centre the operator acts; an auditor, or somebody of another centre, finds no such page."""
    centre_id = _centre_of(desk, holder.pk)
    if centre_id is None:
        raise Http404
    return centre_id


def _centre_of(desk: Desk, holder_id: int) -> int | None:
    mine = [centre for centre in desk.scope.centre_ids if desk.may_decide(centre)]
    known = Holder.objects.filter(pk=holder_id, registrations__centre_id__in=mine)
    return known.values_list("registrations__centre_id", flat=True).first()
