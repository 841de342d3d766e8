"""Plays a load test and takes the picture of its report that the documentation shows.

tools/load_test_picture.py     writes docs/how-to/pictures/load-test.png; needs chromium, and a minute and a half
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/how-to/pictures/load-test.png"
PLAYED = ("--users", "200", "--minutes", "1", "--chaos", "--seed", "1")
SIZE: ViewportSize = {"width": 1100, "height": 1180}


def main() -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium on this machine", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="passerby-picture-") as folder:
        command = [str(Path(sys.executable).with_name("passerby")), "loadtest", *PLAYED, "--report", "report.html"]
        code = subprocess.run(command, cwd=folder, check=False).returncode
        if code:
            return code
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.goto((Path(folder) / "report.html").as_uri())
            page.screenshot(path=PICTURE)
            browser.close()
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
