"""Settings of the outbox that fit together, and those that would send a mail twice."""

import pytest
from pydantic import ValidationError

from notifications.conf import NotificationSettings


def test_the_settings_as_they_come_fit_together():
    conf = NotificationSettings()

    assert conf.lease.total_seconds() == conf.lease_seconds
    assert conf.lease_seconds < 120  # a killed drain's mails are taken up again within two minutes


@pytest.mark.parametrize(
    "change",
    [
        {"lease_seconds": 75},
        {"reply_seconds": 18},
        {"first_retry_seconds": 901},
        {"give_up_days": 0},
        {"message_id_domain": "sigillo.example>\r\nX: y"},
        {"message_id_domain": "Sigillo Example"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(change):
    with pytest.raises(ValidationError):
        NotificationSettings(**change)
