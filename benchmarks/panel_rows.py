"""Rows that PostgreSQL makes itself: INSERT … SELECT for a model, with the fields' defaults for what is not named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import models
from psycopg import sql


def insert(connection: psycopg.Connection, model: type[models.Model], values: Mapping[str, str], source: str) -> None:
    """INSERT … SELECT; columns that are not named get the field's default, nothing, or an empty text."""
    columns = [field for field in model._meta.concrete_fields if field.column in values or not is_numbered(field)]
    parts = [sql.SQL(values[field.column]) if field.column in values else _usual(field) for field in columns]  # type: ignore[arg-type] # our own expressions
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
            sql.Identifier(model._meta.db_table),
            sql.SQL(", ").join(sql.Identifier(field.column) for field in columns),
            sql.SQL(", ").join(parts),
            sql.SQL(source),  # type: ignore[arg-type] # the same
        )
    )


def is_numbered(field: models.Field[Any, Any]) -> bool:
    """Whether the database itself numbers it."""
    return isinstance(field, models.AutoField)


def _usual(field: models.Field[Any, Any]) -> sql.Composable:
    if field.has_default() and not callable(field.default):
        return sql.Literal(field.get_prep_value(field.default))
    if field.null:
        return sql.SQL("NULL")
    if isinstance(field, models.CharField | models.TextField):
        return sql.Literal("")
    message = f"{field} needs a value"
    raise ValueError(message)


def array(words: list[str]) -> str:
    """Write a list of texts as PostgreSQL spells it; for our own words only."""
    return "ARRAY[" + ", ".join(f"'{word}'" for word in words) + "]"
