"""The one foreign file of the panel is as its makers published it."""

import hashlib
from pathlib import Path

import passerby

STATIC = Path(passerby.__file__).parent / "panel/static"
# From the npm registry: htmx.org 2.0.11, dist/htmx.min.js.
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_unchanged_and_has_its_licence() -> None:
    assert hashlib.sha256((STATIC / "htmx-2.0.11.min.js").read_bytes()).hexdigest() == HTMX
    assert "Zero-Clause BSD" in (STATIC / "htmx-LICENSE").read_text()
    known = {"htmx-2.0.11.min.js", "htmx-LICENSE", "mark.svg", "panel.css", "passkey.js"}
    assert {path.name for path in STATIC.iterdir()} == known, "and nothing else comes from elsewhere"
