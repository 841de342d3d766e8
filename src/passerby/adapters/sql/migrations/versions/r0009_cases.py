"""Cases: what reports lead to. Evidence that reporters chose, and reporters whose reports count nothing for a time."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside, has_column

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("cost", sa.Double, nullable=False, server_default="0", comment="how much it lowered the karma"),
        sa.Column("retaliates", sa.Boolean, nullable=False, server_default=sa.false(), comment="after the other's"),
        sa.Column("case_number", sa.BigInteger, comment="null: in no case yet"),
        sa.Column("verdict", sa.Text, comment="upheld or dismissed; null: not decided"),
        sa.Column("decided_at", sa.Double),
    ):
        if not has_column("complaints", column.name):
            op.add_column("complaints", column)
    op.create_table(
        "evidence",
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="who chose it"),
        sa.Column("place", sa.SmallInteger, nullable=False),
        sa.Column("accused_id", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False, comment="a wrapped key, and what it encrypts"),
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of it"),
        sa.Column("chosen_at", sa.Double, nullable=False),
        sa.Column("erase_at", sa.Double, comment="null: its case is not decided"),
        sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false(), comment="the law asks to keep it"),
        sa.PrimaryKeyConstraint("chat_id", "user_id", "place", name="pk_evidence"),
        if_not_exists=True,
    )
    op.create_table(
        "cases",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("about", sa.Text, nullable=False, comment="reports or appeal"),
        sa.Column("accused_id", sa.BigInteger, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False, comment="the lowest goes first"),
        sa.Column("state", sa.Text, nullable=False, comment="open, second (waits for a second member) or decided"),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("salt", sa.Text, nullable=False, comment="random: pseudonyms come from it"),
        sa.Column("claimed_by", sa.BigInteger, comment="the number of a staff member"),
        sa.Column("claimed_until", sa.Double),
        sa.Column("proposal", sa.Text, comment="JSON: what a second member must confirm"),
        sa.Column("measure", sa.Text, comment="the sanction that a rule imposed"),
        sa.Column("sanction", sa.Text, comment="the sanction that it led to, or whose appeal it is"),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("decided_by", sa.BigInteger, comment="the number of a staff member; null: nobody did"),
        sa.Column("decided_at", sa.Double),
        sa.Column("passed_by", sa.Text, nullable=False, server_default="[]", comment="JSON: who handed it over"),
        sa.PrimaryKeyConstraint("number", name="pk_cases"),
        if_not_exists=True,
    )
    op.create_table(
        "muted_reporters",
        sa.Column("user_id", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("until", sa.Double, nullable=False, comment="their reports count nothing until then"),
        sa.PrimaryKeyConstraint("user_id", name="pk_muted_reporters"),
        if_not_exists=True,
    )
    for table, name, columns, where in (
        ("cases", "ix_cases_open", ["lane", "opened_at"], "decided_at IS NULL"),
        ("cases", "ix_cases_accused_id", ["accused_id"], None),
        ("cases", "ix_cases_decided_at", ["decided_at"], None),
        ("evidence", "ix_evidence_accused_id", ["accused_id"], None),
        ("evidence", "ix_evidence_user_id", ["user_id"], None),
        ("evidence", "ix_evidence_erase_at", ["erase_at"], "erase_at IS NOT NULL"),
    ):
        only = sa.text(where) if where is not None else None
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only, if_not_exists=True)
    create_index_beside("ix_complaints_new", "complaints", ["filed_at"], "case_number IS NULL")
    create_index_beside("ix_complaints_case", "complaints", ["case_number"], "case_number IS NOT NULL")
    create_index_beside("ix_sanctions_appealed", "sanctions", ["appealed_at"], "appeal = 'open'")
