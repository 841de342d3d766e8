"""Runs the migrations, with Alembic. Only `schema` imports it, and only if there is something to upgrade."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from passerby.adapters.sql.failures import NEWER, DatabaseUnusable

_MIGRATIONS: Final = Path(__file__).with_name("migrations")


def configuration() -> Config:
    """Alembic's configuration. There is no file for it."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Raises: DatabaseUnusable, if a newer release has changed the database."""
    config = configuration()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError:
        # The tests run through all revisions, so only an unknown revision can fail here.
        raise DatabaseUnusable(NEWER) from None
