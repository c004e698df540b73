"""Django's settings and ours, built once from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext

from cms.conf import CmsSettings
from config.cache import CONNECTION
from config.env import Environment, built
from config.logs import configure_logging
from config.schedule import SCHEDULE
from notifications.conf import NotificationSettings
from renewals.conf import RenewalSettings
from smime.conf import SmimeSettings

# Lets classes of Django that are generic only in its type stubs (ModelAdmin, Field) be written with their parameters.
django_stubs_ext.monkeypatch()

ENVIRONMENT = built(Environment)
ROOT = Path(__file__).resolve().parent.parent

# What is ours and not Django's.
BASE_URL = ENVIRONMENT.base_url
HOLDER_PATH = "/titolare/"  # where the holder's pages begin; mails link to it
CLIENT_PATH = "/scarica/"  # where holders get the card client
CUSTOMER_PATH = "/area-clienti/"  # where customers activate S/MIME certificates
REDIS_URL = ENVIRONMENT.redis_url.get_secret_value()
SEALING_KEYS = ENVIRONMENT.sealing_key_ring
HEARTBEAT_FOLDER = ENVIRONMENT.heartbeat_folder
METRICS_TOKEN = ENVIRONMENT.metrics_token.get_secret_value()
CRL_FOLDER = ENVIRONMENT.crl_folder
CMS = built(CmsSettings)
RENEWALS = built(RenewalSettings)
SMIME = built(SmimeSettings)
NOTIFICATIONS = built(NotificationSettings)

SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.hosts
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "config",
    "renewals",
    "smime",
    "cms",
    "notifications",
    "authority",
    "runtime",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "bootstrap_italia_template",  # fonts only; its templates and styles are not used on the panel
    "pgtrigger",
]

MIDDLEWARE = [
    "config.headers.SecurityHeaders",
    "config.public.RelyingParties",
    "config.problems.Problems",
    *(["config.proxy.ClientAddress"] if ENVIRONMENT.trusts_proxy else []),
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.fence.SecondFence",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.sessions.SessionLimits",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: persistent connections bounded by the web threads, no pool, no ATOMIC_REQUESTS (the CA is asked between two
# transactions of one request). The role is put on at connection time, so that also a superuser login obeys the grants.
LOCK_TIMEOUT_MS = 3000
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": ENVIRONMENT.db_host,
        "PORT": str(ENVIRONMENT.db_port),
        "USER": ENVIRONMENT.db_user,
        "PASSWORD": ENVIRONMENT.db_password.get_secret_value(),
        "NAME": ENVIRONMENT.db_name,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": f"-c role={ENVIRONMENT.db_role} -c lock_timeout={LOCK_TIMEOUT_MS}",
            "application_name": "sigillo",
            "connect_timeout": 5,
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": CONNECTION,
    },
}

# Sessions and messages live in the database: losing Redis logs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_AGE = int(timedelta(hours=24).total_seconds())  # at most; `config.sessions` ends it earlier
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.is_https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# The prefix makes browsers refuse the cookie from a neighbour host or over plain http.
SESSION_COOKIE_NAME = "__Host-session" if ENVIRONMENT.is_https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if ENVIRONMENT.is_https else "csrf"
CSRF_FAILURE_VIEW = "config.refusals.forged"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# `config.headers` sets the headers, on every answer; this middleware is left with the redirect to https.
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_REFERRER_POLICY = None
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.trusts_proxy else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024  # the largest body of all, a request for help with its log
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_HANDLERS = ["config.uploads.BoundedUpload"]

AUTH_USER_MODEL = "cms.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name", "tax_code")},
    },
    {"NAME": "config.passwords.LongEnough", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"

# Login (allauth): by e-mail, mandatory second factor demanded by the panel's site, no self-made accounts.
ACCOUNT_ADAPTER = "config.login.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "config.login.EntranceForm",
    "reauthenticate": "config.login.ConfirmPasswordForm",
    "reset_password": "config.login.AskForLinkForm",
    "reset_password_from_key": "config.login.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # an unknown address gets no mail, and the page says the same
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = CMS.confirmation_minutes * 60
PASSWORD_RESET_TIMEOUT = CMS.password_link_minutes * 60
MFA_ADAPTER = "config.login.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "config.login.FirstCodeForm",
    "authenticate": "config.login.SecondFactorForm",
    "reauthenticate": "config.login.ConfirmSecondFactorForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.is_https
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1

LANGUAGE_CODE = "it"
LANGUAGES = [("it", "Italiano"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
# Instants are UTC inside; screens and mails convert to Europe/Rome where they show them.
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# On this machine files are served from where they lie; elsewhere from where `collectstatic` has put them.
STATIC_ROOT = None if ENVIRONMENT.is_local else ROOT / ENVIRONMENT.static_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = ENVIRONMENT.is_local

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = ENVIRONMENT.smtp_host
EMAIL_PORT = ENVIRONMENT.smtp_port
EMAIL_HOST_USER = ENVIRONMENT.smtp_user
EMAIL_HOST_PASSWORD = ENVIRONMENT.smtp_password.get_secret_value()
EMAIL_USE_TLS = ENVIRONMENT.smtp_starttls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.from_email

LOGGING_CONFIG = None
configure_logging()

# Celery: at least once, and harmless when twice. A killed worker's message comes back after the visibility timeout at
# the latest; every task ends before it, or it would run twice at the same time.
CELERY_BROKER_URL = ENVIRONMENT.broker_url
VISIBILITY_TIMEOUT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_TASK_DEFAULT_QUEUE = "sigillo"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = SCHEDULE
# Beat remembers nothing: every task is due-time driven, so a file that survives a restart would only be state to break.
CELERY_BEAT_SCHEDULER = "config.pulse:TickingScheduler"
