"""The imports of a start. Each of these would take a twentieth to a tenth of its time."""

import subprocess
import sys

HEAVY = (
    *("rich", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "asyncpg", "redis", "alembic", "typer"),
    "pydantic_settings",
)
CODE = """
import sys
from passerby.cli.lean_imports import keep_all, lean_imports
with lean_imports():
    import passerby.cli.process, passerby.cli.serving, passerby.cli.elsewhere, passerby.bootstrap.serving
print([name for name in sys.argv[1:] if sys.modules.get(name)])
import gc
made = [[] for _ in range(5000)]
keep_all()
print(len(gc.get_objects()) < 5000)
import rich
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
print(AsyncSession.__name__)
"""


def test_an_embedded_start_imports_nothing_heavy_and_leaves_nothing_to_collect() -> None:
    told = subprocess.run([sys.executable, "-c", CODE, *HEAVY], check=True, capture_output=True, text=True).stdout
    assert told.splitlines() == ["[]", "True", "AsyncSession"], "collections skip all that the start has made"
