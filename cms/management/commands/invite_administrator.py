"""`manage.py invite_administrator`: the first person of the provider, where nobody is there yet to invite him."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cms.errors import DomainError
from cms.services import invitations
from cms.services.invitations import Invitee
from runtime import clock


class Command(BaseCommand):
    """Post the mail with the single-use link, which is shown nowhere else: a terminal and a log have none."""

    help = "Invite an administrator of the provider by mail. Repeating it sends a new link in place of the former."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who is invited."""
        parser.add_argument("email")
        parser.add_argument("full_name", help="name and surname, quoted")
        parser.add_argument("tax_code", help="codice fiscale")

    def handle(self, *args: Any, **options: Any) -> None:
        """Invite, and say how it goes on."""
        del args
        invitee = Invitee(options["email"], options["full_name"], options["tax_code"])
        try:
            invitations.invite_first_administrator(invitee, now=clock.now())
        except DomainError as refusal:
            raise CommandError(f"{refusal.reason_code}: {refusal.text}") from refusal
        hours = settings.CMS.invitation_hours
        self.stdout.write(
            f"Invitation posted. The worker mails its link, good once and for {hours} hours: password, second factor,"
            " then the panel. No mail? See the outbox and run this again: only the newest link is good."
        )
