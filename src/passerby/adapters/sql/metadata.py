"""The metadata that all tables share."""

import sqlalchemy as sa

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

# In SQLite an INTEGER primary key is the row's own address, but only if the type has exactly this name.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


_conditions: list[tuple[sa.Index, sa.ColumnElement[bool]]] = []


def partial_index(
    name: str, *columns: sa.Column[object], where: sa.ColumnElement[bool], unique: bool = False
) -> sa.Index:
    """An index of the rows for which `where` is true."""
    index = sa.Index(name, *columns, unique=unique, sqlite_where=where)
    _conditions.append((index, where))
    return index


@sa.event.listens_for(metadata, "before_create")
def _with_conditions(_: sa.MetaData, connection: sa.Connection, **_more: object) -> None:
    # As an argument of each index, this would import all that SQLAlchemy has for PostgreSQL, also on a laptop.
    if connection.dialect.name == "postgresql":
        for index, where in _conditions:
            index.dialect_options["postgresql"]["where"] = where
