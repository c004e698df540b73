"""The demo's customer, activations and trusted lists: settled once, and the form of the alternative signed by her."""

from __future__ import annotations

import pytest
from django.conf import settings as present
from django.core.management import call_command
from django.test import override_settings
from reportlab.pdfgen.canvas import Canvas

from cms.models import User
from config.demo import activations, outside, population, signing
from config.demo.staff import STAFF
from runtime import clock
from smime.models import Slot
from smime.services import trusted_lists
from smime.states import SlotState, Validation
from tests.authority.founding import found


@pytest.fixture
def settled(db, tmp_path):
    """Twice: what is there stays as it is."""
    found(at=clock.now())
    population.hire(STAFF[1], password="una-frase-lunga", totp_secret="A" * 32)
    password = tmp_path / "password"
    password.write_text("una-frase-lunga\n")
    lists = tmp_path / outside.LISTS
    with override_settings(SMIME=present.SMIME.model_copy(update={"trusted_lists_folder": str(lists)})):
        for _ in range(2):
            call_command("activations_demo", password=password, lists=lists, verbosity=0)
        yield tmp_path


def test_the_customer_finds_two_activations_of_each_type(settled):
    customer = User.objects.get(email=outside.CUSTOMER.email)

    assert customer.check_password("una-frase-lunga")
    assert not customer.is_staff
    for validation in Validation:
        assert Slot.objects.filter(owner=customer, validation=validation, state=SlotState.FREE).count() == (
            activations.CREDITED
        )


def test_the_demos_lists_are_in_force_and_her_key_is_private(settled):
    assert trusted_lists.in_force(clock.now()).is_complete
    assert (settled / outside.LISTS / outside.SIGNER_KEY).stat().st_mode & 0o077 == 0


def test_her_signature_goes_behind_the_form_as_it_was(settled):
    form = settled / "modulo.pdf"
    canvas = Canvas(str(form))
    canvas.drawString(72, 720, "Modulo")
    canvas.save()

    signed = signing.sign(settled / outside.LISTS, form, at=clock.now())

    assert signed.name == "modulo-firmato.pdf"
    assert signed.read_bytes().startswith(form.read_bytes())
    assert f"TINIT-{outside.CUSTOMER.tax_code}".encode().hex() in signed.read_bytes().lower().decode("latin-1")
