"""One certificate object that nobody can read costs nothing but itself, unless it is the one that is needed."""

import json

import pytest

from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.naming import ObjectName
from cardclient.personalise import LABELS
from cardclient.ports import ObjectKind
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient.conftest import PIN
from tests.cardclient.fake_office import CODE
from tests.cardclient.test_renewal import objects

EMPTY, NONSENSE = b"", b"\x30\x03\x02\x01\x05"


def write(card, der, *, label="OGGETTO", object_id=b"OGGETTO"):
    writing = SimulatedCard(card.path)
    writing.login(Secret(PIN))
    writing.install(object_id, label, der)
    writing.close()


@pytest.mark.parametrize("der", [EMPTY, NONSENSE], ids=["empty", "nonsense"])
def test_a_card_is_renewed_past_a_broken_object_which_the_office_never_sees(card, office, renew, der):
    write(card, der)
    outcome = renew()
    assert (outcome.case.state_label, outcome.removed) == ("Completato", 2)
    assert der in {each.der for each in objects(card, ObjectKind.CERTIFICATE)}
    sent = [json.loads(body) for _, path, body in office.seen if path == "/scan"]
    assert [len(each["certificates"]) for each in sent] == [2]


def test_a_skipped_object_is_named_in_the_log(card, renew, caplog):
    write(card, NONSENSE)
    renew()
    assert any("unreadable" in line for line in caplog.messages)


def test_a_removal_is_finished_past_a_broken_object_under_the_successors_name(card, renew):
    card.plan_fault("remove", "removed", when="before", nth=1)
    with pytest.raises(CardError):
        renew()
    SimulatedCard(card.path).insert()
    name = ObjectName(CODE, Slot.AUTHENTICATION, True)
    whole = SimulatedCard(card.path)
    whole.login(Secret(PIN))
    (written,) = [each for each in whole.view().certificates if each.id == name.id]
    whole.remove(written.ref)
    whole.install(name.id, name.label, NONSENSE)
    whole.install(name.id, name.label, written.der)
    assert renew().removed == 2


def test_the_certificate_that_is_needed_must_be_readable(card, office, renew, monkeypatch):
    write(card, NONSENSE, label=LABELS[Slot.AUTHENTICATION])
    broken = next(each for each in SimulatedCard(card.path).scan()[0].certificates if each.der == NONSENSE)
    monkeypatch.setattr(office, "_offer", lambda made=office._offer: made() | {"login_with": broken.fingerprint})
    with pytest.raises(CardError) as refused:
        renew()
    assert refused.value.code == "certificate-unreadable"
