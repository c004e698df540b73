"""Centres (CDRL), services, agreements, operators."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from cms.states import HALVES, SMIME_TYPES, ApprovalMode, CertificateType, Flow, Role


class Centre(models.Model):
    """A local registration centre (CDRL): who registers, authorises and pays for certificates."""

    code = models.SlugField("codice", max_length=32, unique=True)
    name = models.CharField("denominazione", max_length=120)
    email = models.EmailField("e-mail")
    phone = models.CharField("telefono", max_length=32, blank=True)
    purchase_url = models.URLField("pagina di acquisto", blank=True)
    active = models.BooleanField("attivo", default=True)
    session_idle_minutes = models.PositiveSmallIntegerField("sessione: minuti di inattività", default=30)
    session_hours = models.PositiveSmallIntegerField("sessione: durata massima (ore)", default=8)

    class Meta:
        verbose_name = "CDRL"
        verbose_name_plural = "CDRL"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A kind of product: which pair, how long, by which flow; `successor` is where its renewals are issued.

    Under the S/MIME flow `types` are what is sold one by one, and window and term mean nothing: each slot has its own.
    """

    code = models.SlugField("codice", max_length=64, unique=True)
    name = models.CharField("nome", max_length=120, unique=True)
    flow = models.CharField("flusso", max_length=16, choices=Flow.choices, default=Flow.ENROLL)
    types = ArrayField(models.CharField(max_length=16, choices=CertificateType.choices), verbose_name="certificati")
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors", verbose_name="servizio successore"
    )
    window_months = models.PositiveSmallIntegerField("finestra (mesi)", default=2)
    term_years = models.PositiveSmallIntegerField("durata (anni)", default=3)

    class Meta:
        verbose_name = "servizio"
        verbose_name_plural = "servizi"
        ordering = ("name",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(successor=F("id")), name="service_is_not_its_successor"),
            models.CheckConstraint(condition=Q(types__len__gte=1), name="service_has_a_type"),
            models.CheckConstraint(condition=Q(flow__in=Flow.values), name="service_flow_known"),
            models.CheckConstraint(
                condition=(
                    Q(flow=Flow.SMIME, types__contained_by=[type_.value for type_ in SMIME_TYPES])
                    | (~Q(flow=Flow.SMIME) & Q(types__contained_by=[type_.value for type_ in HALVES]))
                ),
                name="service_types_fit_flow",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def issuing(self) -> Service:
        """The service under which a renewal of this one is issued (rules.md R14)."""
        return self.successor or self


class Agreement(models.Model):
    """What provider and centre agreed for one service; approval mode is copied onto each case at signature."""

    centre = models.ForeignKey(Centre, models.PROTECT, related_name="agreements", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="agreements", verbose_name="servizio")
    approval = models.CharField("autorizzazione", max_length=16, choices=ApprovalMode.choices)
    refusal_suspends_at_once = models.BooleanField("il rifiuto sospende subito", default=False)
    four_eyes_revocation = models.BooleanField("la revoca richiede due persone", default=False)
    low_stock_threshold = models.PositiveIntegerField("soglia di giacenza", default=10)

    class Meta:
        verbose_name = "accordo"
        verbose_name_plural = "accordi"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["centre", "service"], name="one_agreement_per_centre_and_service"),
            models.CheckConstraint(condition=Q(approval__in=ApprovalMode.values), name="agreement_approval_known"),
        ]

    def __str__(self) -> str:
        return f"{self.centre} · {self.service}"


class UserManager(BaseUserManager["User"]):
    """Creates accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Store an account; without a password it cannot log in until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Store an account with every right; the second factor is asked of it too."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """An account (operators today). `tax_code` tells that an approver is not the holder of the case.

    `language`: that of its mails, the one in which it has last logged in.
    """

    email = models.EmailField("e-mail", unique=True)
    full_name = models.CharField("nome e cognome", max_length=120)
    tax_code = models.CharField("codice fiscale", max_length=16, null=True, blank=True, unique=True)
    is_staff = models.BooleanField("accede al pannello", default=False)
    is_active = models.BooleanField("attivo", default=True)
    is_administrator = models.BooleanField("amministratore del fornitore", default=False)
    created_at = models.DateTimeField("creato il", auto_now_add=True)
    session_generation = models.PositiveIntegerField("generazione delle sessioni", default=0)
    last_service_id = models.BigIntegerField("ultimo servizio scelto", null=True, blank=True)
    language = models.CharField("lingua", max_length=5, default="it", db_default="it")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        verbose_name = "utente"
        verbose_name_plural = "utenti"
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="one_account_per_email")]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_session_auth_hash(self) -> str:
        """What every session of this account carries: a new password or a new generation ends them all at once."""
        secret = f"{self.password}:{self.session_generation}"
        return salted_hmac("cms.models.User.session", secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        """The name that screens show."""
        return self.full_name

    def get_short_name(self) -> str:
        """The given name, for greetings."""
        return self.full_name.split(" ", 1)[0]


class Membership(models.Model):
    """An operator's place in a centre. Rights hang on this row: without it nothing of the centre is visible."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name="utente")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="memberships", verbose_name="CDRL")
    role = models.CharField("ruolo", max_length=16, choices=Role.choices, default=Role.OPERATOR)

    class Meta:
        verbose_name = "operatore"
        verbose_name_plural = "operatori"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "centre"], name="one_membership_per_user_and_centre"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.centre}"
