"""The stage of the stories: the product served as it is, and stand-ins for what lies outside the house.

Outside are the mail server, the identification provider, the virus scanner and the resolver: each is a server on this
machine that speaks the real one's protocol. Login, pages, row policies, worker, lint and CA are the product's own.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from pydantic import SecretStr

from config.demo import trust_scheme
from config.demo.stand_ins.clamd import Clamd
from config.demo.stand_ins.resolver import Resolver
from smime.idp_stand_in.server import Server
from smime.idp_stand_in.sessions import Account
from smime.services import idp
from smime.services.idenfy import configured
from tests.authority.founding import found
from tests.panel.browser import launched, served
from tests.panel.pictures import PICTURES
from tests.smime.stories.canary import Canary
from tests.smime.stories.stage import Stage

PATIENCE, USUAL_PATIENCE = 20_000, 5_000  # milliseconds: stories also run on a busy machine


@pytest.fixture(scope="package")
def browser():
    expect.set_options(timeout=PATIENCE)
    with launched() as browser:
        yield browser
    expect.set_options(timeout=USUAL_PATIENCE)


@pytest.fixture(scope="package")
def scheme():
    """A list of lists, a country's list, a qualified CA."""
    return trust_scheme.found(datetime.now(UTC))


@pytest.fixture
def outside():
    """The servers that are no part of the product, in threads of this process."""
    with ExitStack() as running:
        yield {"clamd": running.enter_context(Clamd()), "resolver": running.enter_context(Resolver())}


@pytest.fixture
def stage(committed, mailbox, settings, browser, outside, scheme, tmp_path, pytestconfig):
    """A founded CA, a centre that sells the four types, a customer; nobody's page may have had a complaint at the end."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    key, secret, signing = (secrets.token_hex(16) for _ in range(3))
    with served() as address, ExitStack() as running:
        told, number = f"{address}/api/smime/v1/identification", f"CA{secrets.randbelow(100_000):05d}ZX"
        account = Account(key, secret, told, signing, retry_seconds=(0.1, 0.5), document_number=number)
        provider = running.enter_context(Server(account))
        settings.BASE_URL, settings.CSRF_TRUSTED_ORIGINS = address, [address]
        settings.SMIME = settings.SMIME.model_copy(
            update={
                "idp_url": provider.origin,
                "idp_key": key,
                "idp_secret": SecretStr(secret),
                "idp_webhook_secret": SecretStr(signing),
                "clamd": outside["clamd"].address,
                "trusted_lists_folder": str(tmp_path / "lists"),
                "resolver": outside["resolver"].address,
                "evidence_policy": "sufficient",
                "bundle_iterations": 1000,
            }
        )
        running.enter_context(idp.installed(configured()))
        now = datetime.now(UTC)
        found(at=now)
        scheme.write(tmp_path / "lists", at=now)
        stage = Stage(address, browser, mailbox, provider, scheme, tmp_path)
        stage.pictures = pytestconfig.stash.get(PICTURES, None)
        yield stage
        stage.close()


@pytest.fixture
def canary(superuser, caplog, capfd):
    """Looks at the end for what the story knows, in all that was written since its beginning."""
    caplog.set_level(logging.INFO)
    return Canary(superuser, caplog, capfd)
