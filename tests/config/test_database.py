"""The owner migrates, the application works on rows and can do nothing else."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, connections

from config import database

STATEMENTS = {
    "empty a table past its triggers": "TRUNCATE cms_event",
    "switch a trigger off": "ALTER TABLE cms_event DISABLE TRIGGER ALL",
    "drop a table": "DROP TABLE cms_event",
    "make a table": "CREATE TABLE public.mine (id int)",
    "become the owner": "SET ROLE sigillo_owner",
    "silence triggers": "SET session_replication_role = replica",
    "rewrite what was migrated": "DELETE FROM django_migrations",
    "make a role": "CREATE ROLE mine",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_the_application_cannot(db, statement):
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_application_is_the_application(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_user, current_setting('lock_timeout')")
        assert cursor.fetchone() == ("sigillo_app", "sigillo_app", "3s")


def test_every_table_belongs_to_the_owner_and_is_open_to_the_application(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, tableowner, has_table_privilege('sigillo_app', 'public.' || quote_ident(tablename), 'SELECT'),"
            " has_table_privilege('sigillo_app', 'public.' || quote_ident(tablename), 'TRUNCATE')"
            " FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'test_job'"
        )
        rows = cursor.fetchall()

    assert len(rows) > 20
    assert {row[1:] for row in rows} == {("sigillo_owner", True, False)}


def test_preparing_a_second_time_changes_nothing(committed, superuser):
    settings = connection.settings_dict
    connection.settings_dict = {**settings, "USER": superuser.user}
    try:
        database.prepare(verbosity=0)
    finally:
        connection.close()
        connection.settings_dict = settings

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("sigillo_app",)


def test_without_roles_and_without_the_right_to_make_them_it_says_so(committed, superuser, monkeypatch):
    monkeypatch.setattr(database, "OWNER", "no_such_owner")

    with pytest.raises(database.RolesMissing, match="no_such_owner"):
        database.prepare(verbosity=0)


@pytest.fixture
def bare_database(django_db_setup, superuser, monkeypatch):
    """A database of a login that may make roles and is no superuser, as a hoster gives it."""
    monkeypatch.setattr(database, "OWNER", "other_owner")
    monkeypatch.setattr(database, "APP", "other_app")
    monkeypatch.setattr(database, "PANEL", "other_panel")
    monkeypatch.setattr(database, "PROVIDER", "other_provider")
    with superuser.connect() as boss:
        boss.execute("CREATE ROLE builder LOGIN CREATEROLE")
        boss.execute("CREATE DATABASE bare OWNER builder")
        yield {"USER": "builder", "NAME": "bare"}
        boss.execute("DROP DATABASE bare WITH (FORCE)")
        boss.execute("DROP ROLE other_app, other_panel, other_provider, other_owner, builder")


def test_a_login_that_is_no_superuser_can_prepare_an_empty_database(bare_database, committed):
    settings = connection.settings_dict
    connection.close()
    connection.settings_dict = {**settings, **bare_database}
    try:
        database.prepare(verbosity=0)
        with database.connected(role=None, user="other_app"), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cms_event")
            assert cursor.fetchone() == (0,)
    finally:
        connection.close()
        connection.settings_dict = settings
