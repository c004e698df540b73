"""What a window needs in every story that opens one."""

from tests.cardclient.ui.conftest import dressed

__all__ = ["dressed"]
