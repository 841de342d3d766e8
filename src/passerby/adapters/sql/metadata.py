"""The metadata that all tables share."""

import sqlalchemy as sa

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

# In SQLite an INTEGER primary key is the row's own address, but only if the type has exactly this name.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


_for_postgres: list[tuple[sa.Index, dict[str, object]]] = []


def partial_index(
    name: str, *columns: sa.Column[object], where: sa.ColumnElement[bool], unique: bool = False
) -> sa.Index:
    """An index of the rows for which `where` is true."""
    index = sa.Index(name, *columns, unique=unique, sqlite_where=where)
    return options_for_postgres(index, where=where)


def options_for_postgres(index: sa.Index, **options: object) -> sa.Index:
    """The same index, which PostgreSQL makes with these options."""
    _for_postgres.append((index, options))
    return index


@sa.event.listens_for(metadata, "before_create")
def _set_options(_: sa.MetaData, connection: sa.Connection, **_more: object) -> None:
    # As an argument of each index, this would import all that SQLAlchemy has for PostgreSQL, also on a laptop.
    if connection.dialect.name == "postgresql":
        for index, options in _for_postgres:
            for name, value in options.items():
                index.dialect_options["postgresql"][name] = value
