"""Runs the accessibility checker axe-core with the rules of WCAG 2.2 A and AA, the best practices and the experimental
rules. One experimental rule is off by default: the name of a control must contain its visible words.
"""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice", "experimental"]
# Wait for the end of animations, except for endless ones.
REST = """Promise.all(document.getAnimations()
    .filter(each => each.effect.getTiming().iterations !== Infinity)
    .map(each => each.finished.catch(() => null)))"""


def findings(page: Page) -> list[str]:
    """One line for each problem: the rule, the element, the reason."""
    page.evaluate(f"{REST}.then(() => null)")
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": TAGS}}
    found: dict[str, Any] = Axe().run(page, options=options).response
    return [
        f"{rule['id']}: {node['html'][:120]} -- {_why(node)}" for rule in found["violations"] for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"])) or json.dumps(node)
