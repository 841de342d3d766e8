"""What axe-core finds on the page: every rule of WCAG 2.2 A and AA, of good practice, and those still in trial.

Of the last, one asks that a name holds the words that are seen; it is off unless asked for.
"""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice", "experimental"]
# What moves or fades is looked at when it has come to rest; what turns for ever does not come to rest.
REST = """Promise.all(document.getAnimations()
    .filter(each => each.effect.getTiming().iterations !== Infinity)
    .map(each => each.finished.catch(() => null)))"""


def findings(page: Page) -> list[str]:
    """One line a place: the rule, the element, and why. Empty when all is well."""
    page.evaluate(f"{REST}.then(() => null)")
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": TAGS}}
    found: dict[str, Any] = Axe().run(page, options=options).response
    return [
        f"{rule['id']}: {node['html'][:120]} -- {_why(node)}" for rule in found["violations"] for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"])) or json.dumps(node)
