"""Trusted lists: believed for their signature, never backwards, in force until their next update and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from config.demo import trust_scheme
from pki import trust_lists
from pki.errors import BadSignature, MalformedInput
from smime.errors.signature import (
    TrustedListBackwards,
    TrustedListOutdated,
    TrustedListRefused,
    TrustedListUnknown,
)
from smime.models import RevocationList, RevocationSource, TrustedList
from smime.services import revocation_lists, signature_verdicts, trusted_lists
from smime.services.fetching import DocumentAway, download
from smime.states import CheckKind, CheckState, Verdict
from tests.smime import mailed
from tests.smime.signature import orders, world

NOW = orders.NOW
committed = pytest.mark.usefixtures("committed")


@pytest.fixture
def pinned(tmp_path, settings):
    """An empty folder, but for the certificate of who signs the list of lists."""
    folder = tmp_path / "lists"
    world.scheme().write(folder, at=NOW)
    for file in [*folder.glob("*.xml"), *folder.glob("*.crl")]:
        file.unlink()
    settings.SMIME = settings.SMIME.model_copy(update={"trusted_lists_folder": str(folder)})
    return folder


def europe(**how):
    return world.scheme().list_of_lists(**({"at": NOW - timedelta(days=1)} | how))


def italy(**how):
    return world.scheme().country_list(**({"at": NOW - timedelta(days=1)} | how))


def load(*lists, at=NOW):
    return [trusted_lists.load(xml, at=at) for xml in lists]


@committed
def test_a_country_is_trusted_for_the_sake_of_the_list_of_lists(pinned):
    rows = load(europe(), italy())
    found = trusted_lists.in_force(NOW)

    assert [row.territory for row in rows] == ["EU", "IT"]
    assert found.is_complete
    assert found.uncertain == frozenset()
    assert len(list(found.services.known_certificate_authorities)) == 1


@committed
def test_the_same_list_again_is_the_row_that_is_there(pinned):
    first, again = load(europe(), xml := italy()), load(xml)

    assert again[0].pk == first[1].pk
    assert TrustedList.objects.count() == 2


FORGED = {
    "by the wrong signer": lambda: europe(signed_by=world.scheme().supervisor),
    "by a stranger": lambda: trust_scheme.found(NOW).list_of_lists(at=NOW - timedelta(days=1)),
    "changed": lambda: europe().replace(b"lists.example.org", b"lists.example.com"),
    "with another signer put in": lambda: europe().replace(b"<TSLSequenceNumber>1<", b"<TSLSequenceNumber>9<"),
    "unsigned": lambda: europe().split(b"<ds:Signature")[0] + b"</TrustServiceStatusList>",
    "wrapped": lambda: b"<TrustServiceStatusList xmlns='http://uri.etsi.org/02231/v2#'>" + europe().split(b"?>")[1]
    + b"</TrustServiceStatusList>",
    "with entities": lambda: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + europe(),
    "no list": lambda: b"<html/>",
    "junk": lambda: b"\x00\xff",
    "nothing": lambda: b"",
}  # fmt: skip


@committed
@pytest.mark.parametrize("made", FORGED.values(), ids=FORGED)
def test_a_forged_list_is_refused(pinned, made):
    with pytest.raises(TrustedListRefused):
        load(made())
    assert not TrustedList.objects.exists()


@committed
@pytest.mark.parametrize("who", ["operator", "authority"])
def test_a_countrys_list_is_signed_by_whom_the_list_of_lists_names(pinned, who):
    load(europe())

    with pytest.raises(TrustedListRefused):
        load(italy(signed_by=getattr(world.scheme(), who)))


@committed
def test_a_country_without_a_list_of_lists_in_force_is_unknown(pinned):
    with pytest.raises(TrustedListUnknown):
        load(italy())
    load(europe(until=NOW + timedelta(hours=1)))
    with pytest.raises(TrustedListUnknown):
        load(italy(), at=NOW + timedelta(hours=2))


@committed
def test_numbers_never_go_backwards(pinned):
    load(europe(sequence=5), italy(sequence=5))

    for older in (italy(sequence=4), italy(sequence=5, until=NOW + timedelta(days=9)), europe(sequence=4)):
        with pytest.raises(TrustedListBackwards):
            load(older)
    load(italy(sequence=6))
    assert TrustedList.objects.filter(territory="IT").count() == 2


@committed
def test_an_outdated_list_is_not_loaded(pinned):
    with pytest.raises(TrustedListOutdated):
        load(europe(until=NOW))


@committed
def test_the_next_update_is_ours_to_enforce(pinned):
    load(europe(), italy(until=NOW + timedelta(hours=1)))

    later = trusted_lists.in_force(NOW + timedelta(hours=1))

    assert not list(later.services.known_certificate_authorities)
    assert later.uncertain == {"IT"}
    assert [row.territory for row in trusted_lists.outdated(NOW + timedelta(hours=1))] == ["IT"]
    assert trusted_lists.outdated(NOW) == []


@committed
def test_without_a_list_of_lists_in_force_everything_is_in_doubt(pinned):
    assert "IT" in trusted_lists.in_force(NOW).trust(NOW).uncertain
    load(europe(until=NOW + timedelta(hours=1)), italy())

    assert "XX" in trusted_lists.in_force(NOW + timedelta(hours=2)).trust(NOW).uncertain


@committed
def test_who_is_pinned_no_longer_is_believed_no_longer(pinned):
    load(europe(), italy())
    trust_scheme.found(NOW).write(pinned, at=NOW)

    found = trusted_lists.in_force(NOW)

    assert not found.is_complete
    assert not list(found.services.known_certificate_authorities)


@committed
def test_a_folder_is_read_whole_whatever_else_lies_in_it(pinned):
    world.scheme().write(pinned, at=NOW - timedelta(hours=1))
    (pinned / "altro.xml").write_bytes(b"<html/>")
    (pinned / "altro.crl").write_bytes(b"junk")

    assert trusted_lists.refresh(at=NOW) == 2
    assert trusted_lists.refresh(at=NOW) == 0
    assert RevocationList.objects.count() == 1


@committed
def test_the_command_loads_and_says_what_is_in_force(pinned, capsys, clock):
    clock.instant = NOW
    with pytest.raises(CommandError, match="no list of lists"):
        call_command("load_trusted_lists")
    world.scheme().write(pinned, at=NOW - timedelta(hours=1))

    call_command("load_trusted_lists", pinned / "lotl.xml", pinned / "IT.xml")
    assert "IT" in capsys.readouterr().out
    with pytest.raises(CommandError, match="trusted-list-refused"):
        call_command("load_trusted_lists", pinned / "signers.pem")


@committed
def test_with_an_outdated_list_a_signature_is_being_verified_and_never_refused(settings, pinned):
    orders.policy(settings, "sufficient")
    load(europe(), italy(until=NOW + timedelta(hours=1)))
    revocation_lists.take_file("firma.crl", world.scheme().revocation_list(at=NOW, days=30), at=NOW)
    order, later = orders.order_of("sv"), NOW + timedelta(hours=2)

    waiting = orders.judged(order, orders.signed(orders.form_of(order)), at=later)
    check = mailed.check_of(order, CheckKind.IDENTITY)
    assert (waiting.verdict, waiting.code) == (Verdict.PENDING, "list-outdated")
    assert check.state == CheckState.WAITING_THIRD_PARTY
    assert not mailed.mails(order, "smime-papers-missing")

    load(italy(at=NOW, sequence=2), at=later)
    signature_verdicts.validate_due(at=later + timedelta(minutes=1))
    waiting.refresh_from_db()
    assert waiting.verdict in {Verdict.ACCEPTED, Verdict.FOR_OFFICER}


@committed
def test_a_list_that_is_good_for_days_is_asked_for_again_after_hours(pinned):
    load(europe(), italy())
    revocation_lists.take_file("firma.crl", world.scheme().revocation_list(at=NOW, days=30), at=NOW)
    soon, late = NOW + revocation_lists.READ_WITHIN, NOW + revocation_lists.READ_WITHIN + timedelta(seconds=1)
    issuers = frozenset(RevocationList.objects.values_list("issuer_sha256", flat=True))

    assert len(revocation_lists.known(issuers, soon)) == 1
    assert revocation_lists.known(issuers, late) == []
    revocation_lists.take_file("firma.crl", world.scheme().revocation_list(at=NOW, days=30), at=late)
    assert len(revocation_lists.known(issuers, late)) >= 1


@committed
def test_a_missing_revocation_list_is_fetched_by_the_job_and_the_signature_goes_on(pinned):
    load(europe(), italy())
    order = orders.order_of("sv")
    report = orders.judged(order, orders.signed(orders.form_of(order)))
    assert (report.verdict, report.code) == (Verdict.PENDING, "revocation-unknown")
    source = RevocationSource.objects.get()
    assert (source.address, source.next_attempt_at) == (trust_scheme.REVOCATION_LIST, NOW)

    def fetch(address, _most):
        return world.scheme().revocation_list(at=NOW - timedelta(hours=1))

    assert revocation_lists.fetch_due(at=NOW, fetch=fetch) == 1
    signature_verdicts.validate_due(at=NOW + timedelta(minutes=1))
    report.refresh_from_db()
    assert report.verdict == Verdict.ACCEPTED
    assert report.report["layers"][0]["revocation_lists"] == [RevocationList.objects.get().sha256]


@committed
def test_the_watchmen_notice_lapsed_lists_and_forms_that_wait(pinned):
    from config.conditions import old_trust

    assert old_trust(NOW) is None
    load(europe(), italy(until=NOW + timedelta(hours=1)))
    assert old_trust(NOW) is None
    assert old_trust(NOW + timedelta(hours=1)).since == NOW + timedelta(hours=1)

    order = orders.order_of("sv")
    orders.judged(order, orders.signed(orders.form_of(order)), at=NOW)
    assert old_trust(NOW + timedelta(minutes=59)) is None
    assert old_trust(NOW + timedelta(hours=1)).count == 2


@committed
@pytest.mark.parametrize("answer", [DocumentAway("TimeoutError"), b"junk", b""], ids=["away", "junk", "empty"])
def test_a_revocation_list_that_cannot_be_had_is_asked_for_again(pinned, answer):
    revocation_lists.want(["http://qtsp.example.org/firma.crl"], at=NOW)

    def fetch(_address, _most):
        if isinstance(answer, DocumentAway):
            raise answer
        return answer

    assert revocation_lists.fetch_due(at=NOW, fetch=fetch) == 0
    source = RevocationSource.objects.get()
    assert source.last_error
    assert source.next_attempt_at == NOW + timedelta(minutes=1)
    assert revocation_lists.fetch_due(at=NOW, fetch=fetch) == 0


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/a", "data:,a", "http://[", "no"])
def test_only_http_is_fetched(address):
    with pytest.raises(DocumentAway):
        download(address, 10)


def test_a_list_verified_without_its_signer_is_nothing():
    with pytest.raises(BadSignature):
        trust_lists.verify_list(europe(), [])
    with pytest.raises(MalformedInput):
        trust_lists.verify_list(b"<!DOCTYPE a>", [world.scheme().operator.der])


def test_the_pinned_signers_of_the_release_are_there():
    assert len(trust_lists.known_signers()) >= 1
