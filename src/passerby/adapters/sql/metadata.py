"""What all tables share."""

import sqlalchemy as sa

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

# In SQLite an INTEGER primary key is the row's own address, but only if the type has exactly this name.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial_index(name: str, *columns: sa.Column[object], where: sa.ColumnElement[bool]) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)
