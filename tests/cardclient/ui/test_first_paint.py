"""What is loaded when the window is first painted: network, form and card wait, so that a slow computer shows it soon."""

import json
import os
import subprocess
import sys

HEAVY = {
    "httpx", "httpcore", "h11", "anyio", "spnego", "python_socks", "truststore", "keyring", "asn1crypto", "cryptography",
    "pypdfium2", "pkcs11",
}  # fmt: skip
CHILD = """
import json, sys
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.isWindow():
            print(json.dumps(sorted(sys.modules)), flush=True)
            QApplication.instance().removeEventFilter(self)
        return False
a = QApplication(sys.argv[:1])
watch = Watch()
a.installEventFilter(watch)
from cardclient.ui.app import main
sys.exit(main(sys.argv[1:]))
"""


def test_no_library_of_network_form_or_card_is_loaded_before_the_window_is_painted(tmp_path):
    given = ["--simulator", str(tmp_path / "card.json"), "--settings", str(tmp_path), "--server", "http://localhost:9"]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *given],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    ) as process:
        try:
            loaded = {name.partition(".")[0] for name in json.loads(process.stdout.readline())}
        finally:
            process.kill()

    assert "PySide6" in loaded
    assert loaded & HEAVY == set()
