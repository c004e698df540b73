"""Keys and a demo CA, made once per session."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.pki.demo_ca import DemoCA, make_ca


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session", params=["rsa", "ec"])
def holder_key(request, rsa_key, ec_key) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    return {"rsa": rsa_key, "ec": ec_key}[request.param]


@pytest.fixture(scope="session")
def ca() -> DemoCA:
    return make_ca(rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def ec_ca() -> DemoCA:
    return make_ca(ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()))
