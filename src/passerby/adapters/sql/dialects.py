"""The differences between the two dialects of SQL."""

from typing import Any

import sqlalchemy as sa


def insert_into(table: sa.Table, dialect: str) -> Any:
    """The dialect's own INSERT, which has ON CONFLICT."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
