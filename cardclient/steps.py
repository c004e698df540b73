"""One function per step of the office's list: it takes the case as it is and returns it as the office then has it.

None keeps anything: whatever a later run needs is on the card or at the office.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cardclient import certificates, csr, form, pairs, texts
from cardclient.acceptance import Accepted, accept_in_case
from cardclient.admission import Desk, old_certificate
from cardclient.contract import Case, CaseSlot, ChangeContacts, Contacts, DataWrong, Diagnosis, Offer, Slot, Step
from cardclient.errors import CardError, CardUpdateError, Declined, Distrusted, InputNeeded, OfficeRefusal, StillPending
from cardclient.naming import ObjectName
from cardclient.ports import CardCertificate, CardKey, CardView, KeyKind
from cardclient.secret import Secret

DATA_WRONG = "holder-data-wrong"  # the reason POST /case/cancellation knows
KINDS = frozenset(KeyKind(*each) for each in (("rsa", 2048), ("rsa", 3072), ("rsa", 4096), ("ec", 256), ("ec", 384)))
LONGEST_DRIVER = 120  # characters the API takes
CORRECTABLE = frozenset({"contact-taken", "contact-invalid", "input-invalid"})


@dataclass(frozen=True, slots=True)
class Run:
    """What stays the same through a run: card and offer as first seen, whether the old pair goes, texts accepted."""

    view: CardView
    offer: Offer
    login_with: CardCertificate
    sign_with: CardCertificate | None
    replaces: bool
    puk: str
    accepted: Accepted = frozenset()

    def name(self, case: Case, slot: Slot) -> ObjectName:
        """Name of the new pair of a slot."""
        return ObjectName(case.code, slot, self.replaces)


@contextmanager
def writing(desk: Desk) -> Iterator[None]:
    """Let the screen know for how long the card must not be pulled nor the program closed."""
    desk.screen.writing(active=True)
    try:
        yield
    finally:
        desk.screen.writing(active=False)


def diagnose(desk: Desk, run: Run, _case: Case, _pin: Secret) -> Case:
    """Tell the office what the card can do; it refuses an unfit card before anything is written."""
    report = desk.card.report()
    keys = desk.card.keys()
    after = desk.office.diagnose(
        Diagnosis(
            atr=run.view.atr.hex() if run.view.atr else None,
            pin="ok",
            puk=run.puk,
            login_key_matches=_has_key(keys, run.login_with),
            sign_key_matches=_has_key(keys, run.sign_with) if run.sign_with else None,
            certificates_readable=bool(run.view.certificates),
            can_generate=report.can_generate,
            driver=f"{report.driver} {report.driver_version}".strip()[:LONGEST_DRIVER],
        ),
    )
    if not desk.screen.show_diagnosis(after):
        raise Declined
    return after


def _has_key(keys: tuple[CardKey, ...], certificate: CardCertificate) -> bool:
    try:
        pairs.key_of(keys, certificate)
    except CardError:
        return False
    return True


def give_contacts(desk: Desk, _run: Run, case: Case, _pin: Secret) -> Case:
    """Ask for the contacts until the office takes them or the holder stops."""
    after = _ask_contacts(desk, case, case.contacts, None)
    if after is None:
        raise InputNeeded("contacts-needed")
    return after


def _ask_contacts(desk: Desk, case: Case, current: Contacts, problem: OfficeRefusal | None) -> Case | None:
    """Ask until the office takes them; None when the holder gives none and nothing was refused before."""
    while True:
        contacts = desk.screen.ask_contacts(case, current, problem.code if problem else None)
        if contacts is None:
            if problem:
                raise problem
            return None
        if isinstance(contacts, DataWrong):
            desk.office.cancel(DATA_WRONG, contacts.reason)
            raise Declined("data-wrong")
        try:
            return desk.office.put_contacts(contacts)
        except OfficeRefusal as refusal:
            if refusal.code not in CORRECTABLE:
                raise
            current, problem = contacts, refusal


def confirm_contact(desk: Desk, _run: Run, case: Case, _pin: Secret) -> Case:
    """Ask for the code mailed to the new mailbox until it is right or the holder stops.

    A mistyped mailbox gets no code, and one that ran out or was tried too often stays so: the contacts can be given
    again, as often as the office allows, and each time another code is mailed.
    """
    problem: OfficeRefusal | None = None
    while case.next_step is Step.CONFIRMATION:
        proposed = case.pending_contacts or case.contacts
        code = desk.screen.ask_confirmation_code(proposed.email, problem.code if problem else None)
        if code is None:
            raise problem or InputNeeded("confirmation-needed")
        if isinstance(code, ChangeContacts):
            case, problem = _ask_contacts(desk, case, proposed, None) or case, None
            continue
        try:
            return desk.office.confirm_contact(code)
        except OfficeRefusal as refusal:
            case, problem = _after_wrong_code(desk, case, proposed, refusal)
    return case


def _after_wrong_code(
    desk: Desk, case: Case, proposed: Contacts, refusal: OfficeRefusal
) -> tuple[Case, OfficeRefusal | None]:
    """Let a wrong code be entered again; for one that is no longer taken have the contacts given again."""
    if refusal.code == "confirmation-invalid":
        return case, refusal
    if refusal.code != "confirmation-expired":
        raise refusal
    return _ask_contacts(desk, case, proposed, refusal) or case, None


def accept_texts(desk: Desk, run: Run, case: Case, _pin: Secret) -> Case:
    """Ask for the texts not yet accepted before the PIN, and record exactly the versions the holder accepted."""
    accepted = accept_in_case(desk.screen, desk.office, case.flow, run.accepted, replaces=run.replaces)
    return desk.office.accept(accepted)


def sign_form(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Show the form, check that what would be signed is what is shown, and sign it with the expiring signature key."""
    prepared = desk.office.prepare_form()
    signer = run.sign_with
    if signer is None or prepared.certificate != signer.fingerprint:
        raise Distrusted("form-refused", operation="certificate")
    pdf = desk.office.form_pdf()
    data = form.require_honest_form(pdf, prepared.document_sha256, prepared.signed_attributes, signer.der)
    if not desk.screen.sign_form(pdf, case):
        raise Declined("form-needed")
    key = pairs.key_of(desk.card.keys(), signer)
    signature = desk.card.sign(key.ref, data, pin)
    certificates.require_signature(certificates.spki(certificates.load(signer.der)), data, signature)
    return desk.office.put_form_signature(signature)


def request_certificates(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Have a new pair in every slot, request its certificate, and bind the new keys with the old login key."""
    with writing(desk):
        public = {each.slot: _pair(desk, run, case, each) for each in case.slots}
    requests = {slot: _request(desk, run, case, slot, spki, pin) for slot, spki in public.items()}
    binding = texts.keys_text(
        host=desk.office.host, nonce=case.nonce, card=run.view.serial, case=case.code, public_keys=public
    )
    login = pairs.key_of(desk.card.keys(), run.login_with)
    signature = desk.card.sign(login.ref, binding, pin)
    certificates.require_signature(certificates.spki(certificates.load(run.login_with.der)), binding, signature)
    return desk.office.put_requests(requests, signature)


def _pair(desk: Desk, run: Run, case: Case, slot: CaseSlot) -> bytes:
    kind = KeyKind(slot.key_kind, slot.key_bits)
    if kind not in KINDS:
        raise Distrusted("answer-malformed", operation="key-kind")

    def still_unknown() -> bool:
        return not any(each.slot is slot.slot and each.requested for each in desk.office.case().slots)

    name = run.name(case, slot.slot)
    return pairs.ensure_pair(desk.card, name, kind, requested=slot.requested, still_unknown=still_unknown)


def _request(desk: Desk, run: Run, case: Case, slot: Slot, spki: bytes, pin: Secret) -> bytes:
    """Build the request of a slot; its subject is copied from the old certificate."""
    old = next(each.old_certificate for each in case.slots if each.slot is slot)
    subject = certificates.load(old_certificate(run.view, old).der).subject
    key = pairs.private_ref(run.name(case, slot), spki)
    return csr.build_request(spki, subject, lambda data: desk.card.sign(key, data, pin))


def install(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Fetch the new certificates, check them, write them, read them back, and prove each new key to the office."""
    received = desk.office.certificates()
    slots = [each.slot for each in case.slots]
    if not set(slots) <= set(received):
        raise StillPending
    public = {slot: _own_key(desk, run, case, slot) for slot in slots}
    for each in case.slots:
        new, *chain = received[each.slot]
        old = old_certificate(run.view, each.old_certificate).der
        certificates.require_successor(new, tuple(chain), old=old, slot=each.slot, public_key=public[each.slot])
    written = {slot: received[slot][0] for slot in slots}
    with writing(desk):
        for slot, der in written.items():
            pairs.write_certificate(desk.card, run.name(case, slot), der)
    return _prove(desk, run, case, written, public, pin)


def _own_key(desk: Desk, run: Run, case: Case, slot: Slot) -> bytes:
    found = pairs.complete_pair(desk.card.keys(), run.name(case, slot))
    if found is None:
        raise CardUpdateError("key-lost")
    return found


def _prove(
    desk: Desk, run: Run, case: Case, written: Mapping[Slot, bytes], public: Mapping[Slot, bytes], pin: Secret
) -> Case:
    """Sign the installation text, which names exactly what was written, with each new key."""
    challenge = desk.office.installation_challenge()
    data = texts.require_installation_text(
        challenge, host=desk.office.host, card=run.view.serial, case=case.code, certificates=written
    )
    proofs = {}
    for slot, spki in public.items():
        proofs[slot] = desk.card.sign(pairs.private_ref(run.name(case, slot), spki), data, pin)
        certificates.require_signature(spki, data, proofs[slot])
    return desk.office.prove_installation(challenge.id, proofs)
