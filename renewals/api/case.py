"""The steps of a case, for the client that has logged in. Every operation can be repeated."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from cms.actors import holder_at_client
from cms.contacts import parse_contacts
from cms.states import RequestState
from renewals import errors
from renewals.api import answers, bodies
from renewals.api import refusals as known
from renewals.api.doors import CaseSession, bounded, case_of, decoded, encoded, texts_shown
from renewals.api.refusals import answering, refusing
from renewals.models import RenewalCase
from renewals.services import acceptance, cases, enrolment, failures, form, issuance, reading
from renewals.services.enrolment import Diagnosis
from renewals.services.view import case_view
from runtime import clock

router = Router(tags=["case"], auth=CaseSession())
RETRY_AFTER = "2"


@router.get("", response=answers.CaseView, summary="The case and its next step", openapi_extra=refusing())
def show_case(request: HttpRequest) -> dict[str, Any]:
    """Say how the case stands and what to do next."""
    return _view(request)


@router.post(
    "/diagnosis",
    response=answers.CaseView,
    summary="Verdict on the card",
    openapi_extra=refusing(known.DIAGNOSIS),
)
def diagnose(request: HttpRequest, body: bodies.DiagnosisIn) -> dict[str, Any]:
    """Judge what the client found; an unfit card or an empty stock is refused before anything is changed."""
    diagnosis = Diagnosis(
        pin_locked=body.pin == "locked",
        puk_locked=body.puk == "locked",
        login_key_matches=body.login_key_matches,
        sign_key_matches=body.sign_key_matches is not False,
        certificates_readable=body.certificates_readable,
        can_generate=body.can_generate,
        atr=body.atr or "",
        driver=body.driver,
    )
    return case_view(enrolment.diagnose(case_of(request), diagnosis, now=clock.now()))


@router.put(
    "/contacts",
    response=answers.CaseView,
    summary="Contacts of the holder",
    openapi_extra=refusing(known.CONTACTS),
)
def submit_contacts(request: HttpRequest, body: bodies.ContactsIn) -> dict[str, Any]:
    """Take mobile, e-mail and address; a changed mailbox is confirmed by a mailed code first."""
    case_id = case_of(request)
    bounded(f"contacts:{case_id}", limit=10, seconds=600)
    contacts = parse_contacts(email=body.email, mobile=body.mobile, **body.address.dict())
    return case_view(enrolment.submit_contacts(case_id, contacts, now=clock.now()))


@router.post(
    "/contact-confirmation",
    response=answers.CaseView,
    summary="Code mailed to the new mailbox",
    openapi_extra=refusing(known.CONFIRMATION),
)
def confirm_mailbox(request: HttpRequest, body: bodies.ConfirmationIn) -> dict[str, Any]:
    """Compare the code; the right one makes the new contacts the holder's."""
    return case_view(enrolment.confirm_mailbox(case_of(request), body.code, now=clock.now()))


@router.get("/texts", response=answers.TextsOut, summary="Texts to accept", openapi_extra=refusing())
def show_texts(request: HttpRequest) -> dict[str, Any]:
    """Contract, clauses, privacy and encryption warning, each with version and hash."""
    case = reading.case(case_of(request))
    return texts_shown(case.flow)


@router.put(
    "/acceptance",
    response=answers.CaseView,
    summary="Acceptance of all texts",
    openapi_extra=refusing(known.ACCEPTANCE),
)
def accept(request: HttpRequest, body: bodies.AcceptanceIn) -> dict[str, Any]:
    """Store which versions the holder accepted."""
    accepted = [text.dict() for text in body.texts]
    return case_view(acceptance.accept_texts(case_of(request), accepted, now=clock.now()))


@router.post("/form", response=answers.FormOut, summary="The attributes to sign", openapi_extra=refusing(known.FORM))
def prepare_form(request: HttpRequest) -> dict[str, str]:
    """Render the form of the present data and hand out what the card signs."""
    prepared = form.prepare_form(case_of(request), now=clock.now())
    return {
        "document_sha256": prepared.document_sha256,
        "signed_attributes": encoded(bytes(prepared.signed_attributes)),
        "certificate": reading.signing_fingerprint(prepared.case),
    }


@router.get(
    "/form.pdf", summary="The form to show", openapi_extra=refusing(known.FORM_FILE) | answering("application/pdf")
)
def show_form(request: HttpRequest) -> HttpResponse:
    """The very bytes whose digest the card signs."""
    document = reading.form_of(case_of(request))
    return HttpResponse(bytes(document.prepared_pdf), content_type="application/pdf")


@router.post(
    "/form-signature",
    response=answers.CaseView,
    summary="The card's signature of the form",
    openapi_extra=refusing(known.FORM_SIGNATURE),
)
def sign_form(request: HttpRequest, body: bodies.FormSignatureIn) -> dict[str, Any]:
    """Assemble and verify the signed form; the case waits for installation and the pair is reserved."""
    return case_view(form.sign_renewal(case_of(request), decoded(body.signature), now=clock.now()))


@router.put(
    "/requests",
    response={200: answers.CaseView, 202: answers.CaseView},
    summary="Certificate requests, one per slot",
    openapi_extra=refusing(known.REQUESTS),
)
def submit_requests(request: HttpRequest, response: HttpResponse, body: bodies.RequestsIn) -> Status[Any]:
    """Check and store the requests, then issue at once; 202 while the CA is still at it."""
    csrs: dict[str, bytes] = {row.type: decoded(row.csr) for row in body.requests}
    if len(csrs) != len(body.requests):
        raise errors.RequestInvalid
    case, issues = issuance.submit_requests(case_of(request), csrs, decoded(body.binding), now=clock.now())
    return _ready_or_wait(response, case_view(case, issues), done=all(row.state == RequestState.DONE for row in issues))


@router.get(
    "/certificates",
    response={200: answers.CertificatesOut, 202: answers.CertificatesOut},
    summary="Certificates to write to the card",
    openapi_extra=refusing(known.CERTIFICATES),
)
def show_certificates(request: HttpRequest, response: HttpResponse) -> Status[Any]:
    """The issued certificates with their chain, or 202 while any is missing."""
    rows = reading.issued_certificates(case_of(request))
    shown = [
        {"type": row.type, "certificate": encoded(row.der), "chain": [encoded(der) for der in row.chain]}
        for row in rows
    ]
    return _ready_or_wait(response, {"certificates": shown}, done=bool(rows))


@router.post(
    "/installation-challenge",
    response={201: answers.ChallengeOut},
    summary="A text for the new keys",
    openapi_extra=refusing(known.INSTALLATION_CHALLENGE),
)
def begin_installation(request: HttpRequest) -> Status[Any]:
    """Make the text that each new key signs once its certificate lies on the card."""
    case_id = case_of(request)
    bounded(f"installation:{case_id}", limit=60)
    return Status(201, issuance.begin_installation(case_id, now=clock.now()))


@router.post(
    "/installation",
    response=answers.CaseView,
    summary="Proof of installation",
    openapi_extra=refusing(known.INSTALLATION),
)
def install(request: HttpRequest, body: bodies.InstallationIn) -> dict[str, Any]:
    """Complete the case with one proof per new key."""
    proofs: dict[str, bytes] = {row.type: decoded(row.signature) for row in body.proofs}
    return case_view(issuance.complete_renewal(case_of(request), body.challenge, proofs, now=clock.now()))


@router.post(
    "/failures",
    response={201: answers.FailureOut},
    summary="Something went wrong at the card",
    openapi_extra=refusing(),
)
def report_failure(request: HttpRequest, body: bodies.FailureIn) -> Status[Any]:
    """Keep the client's report in the case's events, where operators see it."""
    case_id = case_of(request)
    bounded(f"failures:{case_id}", limit=30, seconds=600)
    reference = failures.report(case_id, step=body.step, code=body.code, detail=body.detail, now=clock.now())
    return Status(201, {"reference": reference})


@router.post(
    "/cancellation",
    response=answers.CaseView,
    summary="The holder stops the case",
    openapi_extra=refusing(known.CANCELLATION),
)
def cancel(request: HttpRequest, body: bodies.CancellationIn) -> dict[str, Any]:
    """Cancel before installation; only an operator can reopen. Wrong data are told to the centre."""
    case = reading.case(case_of(request))
    actor = holder_at_client(case.holder_id)
    return case_view(cases.cancel_case(case.pk, reason=body.reason, note=body.note, actor=actor, at=clock.now()))


def _view(request: HttpRequest) -> dict[str, Any]:
    case: RenewalCase = reading.case(case_of(request))
    return case_view(case)


def _ready_or_wait(response: HttpResponse, body: dict[str, Any], *, done: bool) -> Status[Any]:
    if done:
        return Status(200, body)
    response["Retry-After"] = RETRY_AFTER
    return Status(202, body)
