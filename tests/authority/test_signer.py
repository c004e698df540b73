"""Keys are loaded once per process and key, by each process itself, and never sign what does not verify."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authority import signer
from authority.errors import KeyUnusable
from authority.models import SigningKey


def test_threads_that_need_a_key_at_once_load_it_once(gateway):
    signer.forget()
    row = SigningKey.objects.first()

    with ThreadPoolExecutor(8) as pool:
        signers = set(pool.map(lambda _: signer.signer_for(row), range(32)))

    assert len(signers) == 1
    assert signer.loads() == {bytes(row.key_identifier): 1}


def test_a_forked_child_loads_its_own(gateway):
    row = SigningKey.objects.first()
    signer.signer_for(row)
    reading, writing = os.pipe()

    if os.fork() == 0:  # the child: no test framework, no exit handlers
        counts = [sum(signer.loads().values())]
        signer.signer_for(row)
        counts.append(sum(signer.loads().values()))
        os.write(writing, bytes(counts))
        os._exit(0)
    os.wait()

    assert os.read(reading, 2) == bytes((0, 1))
    os.close(reading)
    os.close(writing)


def test_nothing_is_loaded_before_it_is_needed(db):
    signer.forget()

    assert signer.loads() == {}


def test_a_signature_that_does_not_verify_never_leaves(gateway):
    class Faulty(ec.EllipticCurvePrivateKey):
        """A key whose computation went wrong."""

        curve, key_size = ec.SECP256R1(), 256
        _own = ec.generate_private_key(ec.SECP256R1())
        exchange = private_bytes = private_numbers = __copy__ = __deepcopy__ = None

        def sign(self, data, signature_algorithm):
            return self._own.sign(hashlib.sha256(b"something else").digest(), signature_algorithm)

        def public_key(self):
            return self._own.public_key()

    with pytest.raises(KeyUnusable):
        signer.SoftwareSigner(Faulty()).sign(b"to be signed")
