"""The reference page of the sandbox matches the code."""

from pathlib import Path

from botapi_sandbox.reference import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "sandbox.md"


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m botapi_sandbox.reference > docs/reference/sandbox.md"
