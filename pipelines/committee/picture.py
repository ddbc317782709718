"""Pictures of a pack for the documentation, taken in a real browser.

Run as `python -m pipelines.committee.picture PACK TARGET_FOLDER [VIEWS]`, where VIEWS is the folder
of the views of learners and the programme; needs Playwright and a Chromium.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH = 1180
HEIGHTS = {
    "agenda": 900,
    "learner-page": 1460,
    "data-quality": 900,
    "learner-view": 1000,
    "programme": 900,
}


def chromium() -> str:
    """Return where Chromium is: `TESSERA_CHROMIUM`, or Debian's place."""
    return os.environ.get("TESSERA_CHROMIUM", CHROMIUM)


def take(
    pack: Path, target: Path, views: Path | None = None, learner_key: str | None = None
) -> list[Path]:
    """Take a picture of each kind of page that is there, and return the pictures.

    Args:
        pack: a pack's folder.
        target: where the pictures go.
        views: the folder of the views of learners and the programme, of the same edition.
        learner_key: whose page; by default the one with the most to show.
    """
    from playwright.sync_api import sync_playwright

    shown = _page(pack, learner_key)
    pages = {
        "agenda": pack / "index.html",
        "learner-page": shown,
        "data-quality": pack / "quality.html",
    }
    if views is not None:
        edition_id = pack.resolve().name
        pages["learner-view"] = views / "learner" / edition_id / shown.stem / "index.html"
        pages["programme"] = views / "programme" / edition_id / "index.html"
    target.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for name, path in pages.items():
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHTS[name]},
                color_scheme="light",
                reduced_motion="reduce",
            )
            page.goto(path.resolve().as_uri())
            picture = target / f"{name}.png"
            page.screenshot(path=str(picture))
            taken.append(picture)
        browser.close()
    return taken


def _page(pack: Path, learner_key: str | None) -> Path:
    if learner_key is not None:
        return pack / "learners" / f"{learner_key}.html"
    return max(
        (pack / "learners").glob("*.html"), key=lambda page: (page.stat().st_size, page.name)
    )


if __name__ == "__main__":
    pack, target, *views = map(Path, sys.argv[1:])
    for path in take(pack, target, views[0] if views else None):
        sys.stdout.write(f"{path}\n")
