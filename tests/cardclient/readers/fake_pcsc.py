"""A PC/SC library in memory with any system's sizes, and a clock that only moves when somebody waits."""

from __future__ import annotations

import ctypes

from cardclient.readers.pcsc import NEW_READERS, NO_READERS, TIMEOUT, UNKNOWN_READER
from cardclient.readers.pcsc_library import LAYOUTS

CHANGED, EMPTY, PRESENT, MUTE = 0x2, 0x10, 0x20, 0x200


class FakeClock:
    """Seconds that pass only by `sleep`; what was planned happens on the way."""

    def __init__(self):
        self.now, self.plans, self.slept = 0.0, [], 0.0

    def __call__(self):
        return self.now

    def at(self, seconds, action):
        self.plans.append((seconds, action))
        self.plans.sort(key=lambda each: each[0])

    def sleep(self, seconds):
        self.slept += seconds
        self.pass_until(self.now + seconds, lambda: False)

    def pass_until(self, end, is_over):
        """Let planned things happen until the end, or until one of them ends the wait."""
        while self.plans and self.plans[0][0] <= end:
            self.now = max(self.now, self.plans[0][0])
            self.plans.pop(0)[1]()
            if is_over():
                return
        self.now = max(self.now, end)


class FakePcsc:
    """winscard.dll, PCSC.framework or libpcsclite, as the layout has it."""

    def __init__(self, system, clock, *, announces=True):
        self.layout, self.clock, self.announces = LAYOUTS[system], clock, announces
        self.readers, self.insertions = {}, {}
        self.refusal = None  # code that opening a context answers
        self.broken = None  # code that every later call answers once
        self.contexts, self.calls = 0, []

    def plug(self, name, atr=None):
        self.readers[name] = atr
        self.insertions[name] = self.insertions.get(name, 0) + (atr is not None)

    def unplug(self, name):
        del self.readers[name]

    def insert(self, name, atr):
        self.plug(name, atr)

    def eject(self, name):
        self.readers[name] = None
        self.insertions[name] += 1

    # The functions of the library.

    def SCardEstablishContext(self, scope, _one, _two, context):  # noqa: N802 - the library's own name
        assert isinstance(scope, self.layout.dword)
        if self.refusal:
            return self._signed(self.refusal)
        assert isinstance(context._obj, self.layout.context)
        context._obj.value = 7
        self.contexts += 1
        return 0

    def SCardReleaseContext(self, context):  # noqa: N802 - the same
        assert context.value == 7
        self.contexts -= 1
        return 0

    def _list(self, _context, _groups, buffer, length):
        if self.broken:
            code, self.broken = self.broken, None
            return self._signed(code)
        if not self.readers:
            return self._signed(NO_READERS)
        raw = b"".join(self.layout.encode(name) for name in self.readers) + self.layout.encode("")
        assert len(raw) <= length._obj.value * self.layout.unit
        ctypes.memmove(buffer, raw, len(raw))
        length._obj.value = len(raw) // self.layout.unit
        return 0

    def _change(self, _context, limit, states, count):
        self.calls.append((self.clock.now, limit.value, count.value))
        if self.refusal:
            return self._signed(self.refusal)
        names = [self._text(states[index].name) for index in range(count.value)]
        if any(name not in self.readers and (name != NEW_READERS or not self.announces) for name in names):
            return self._signed(UNKNOWN_READER)
        if not self._fill(states, names):
            self.clock.pass_until(self.clock.now + limit.value / 1000, lambda: self._fill(states, names))
            return 0 if self._fill(states, names) else self._signed(TIMEOUT)
        return 0

    def __getattr__(self, name):
        known = {"SCardListReaders": "_list", "SCardGetStatusChange": "_change"}
        plain = name.removesuffix(self.layout.suffix) if self.layout.suffix else name
        if name != plain + self.layout.suffix or plain not in known:
            raise AttributeError(name)
        return getattr(self, known[plain])

    def _fill(self, states, names):
        changed = False
        for state, name in zip(states, names, strict=True):
            if name == NEW_READERS:
                changed |= state.current_state >> 16 != len(self.readers)
                continue
            if name not in self.readers:
                return True
            atr = self.readers[name]
            told = EMPTY if atr is None else PRESENT | (MUTE if atr == b"" else 0)
            told |= self.insertions[name] << 16
            state.event_state = told
            state.atr_length = len(atr or b"")
            ctypes.memmove(state.atr, atr or b"", len(atr or b""))
            changed |= state.current_state != told  # 0 asks for the state as it is
        return changed

    def _text(self, address):
        raw, unit = b"", self.layout.unit
        while not raw.endswith(b"\0" * unit) or len(raw) % unit:
            raw += ctypes.string_at(address + len(raw), unit)
        return self.layout.decode_list(raw)[0]

    def _signed(self, code):
        """Return a code as the system's LONG holds it: negative where that has 32 bits."""
        return self.layout.long(code).value
