"""Checks PostgreSQL's plans. A plan that reads a big table from end to end is a fault."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.sql.fill import BIG


async def plan(connection: AsyncConnection, statement: str, values: Any) -> dict[str, Any]:
    """The plan of a statement with these values, as the driver sends it."""
    found = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values)
    answer: list[dict[str, Any]] = found.scalar_one()
    top: dict[str, Any] = answer[0]["Plan"]
    return top


def nodes(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for each in top.get("Plans", ()):
        yield from nodes(each)


def read_whole(top: dict[str, Any]) -> list[str]:
    """The big tables that the plan reads from end to end."""
    return [
        node["Relation Name"] for node in nodes(top) if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
    ]


def used(top: dict[str, Any]) -> list[str]:
    """The indexes that the plan uses, with those of a conflict clause."""
    looked_up = {node["Index Name"] for node in nodes(top) if "Index Name" in node}
    return sorted(looked_up.union(*(node.get("Conflict Arbiter Indexes", ()) for node in nodes(top))))
