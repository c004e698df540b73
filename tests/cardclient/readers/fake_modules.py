"""Readers with cards in them and drivers' modules that read some, in memory."""

from __future__ import annotations

from cardclient.errors import AnotherCard, NoCard
from cardclient.ports import CardView, CodeState, ReaderState
from cardclient.readers.families import known
from cardclient.readers.modules import Module

ATHENA = bytes.fromhex("3BDF18008131FE7D006B020C0182011101434E53103180FC")
IDEMIA = bytes.fromhex("3BFF1800008131FE45006B05052000012101434E5310318079")
COMMERCIAL = bytes.fromhex("3BFF1800008131FE55006B02090703010101434E5310318066")
ST = bytes.fromhex("3BFF1800008131FE55006B02090703010101434E5311318067")
XPKI, IDPROTECT, OPENSC = "/usr/lib/libbit4xpki.so", "/usr/lib/libASEP11.so", "/usr/lib/opensc-pkcs11.so"
READER, OTHER = "Bit4id miniLector 00 00", "ACS ACR1281 PICC 01 00"


def module(path):
    return Module(path, known().driver_of(path))


def view(serial, reader=READER, **more):
    return CardView(serial, None, "CNS", reader, CodeState.OK, CodeState.OK, **more)


class FakeReaders:
    """Readers that hold what they are told."""

    def __init__(self, **_nothing):
        self.states = {}

    def put(self, reader, atr):
        self.states[reader] = atr

    def snapshot(self):
        return tuple(ReaderState(name, atr) for name, atr in self.states.items())

    def wait(self, _seconds):
        return False


class FakeModule:
    """One driver's module: the cards it reads, or what it dies of."""

    def __init__(self, path, *, views=(), problem=None):
        self.path, self.views, self.problem = path, list(views), problem
        self.chosen, self.calls, self.closed = None, [], 0

    def scan(self):
        self.calls.append("scan")
        if self.problem:
            raise self.problem
        if not self.views:
            raise NoCard
        return tuple(self.views)

    def choose(self, serial):
        if serial not in {each.serial for each in self.views}:
            raise AnotherCard
        self.chosen = serial

    def view(self):
        return next(each for each in self.views if each.serial == self.chosen)

    def login(self, _pin):
        self.calls.append("login")

    def close(self):
        self.closed += 1
