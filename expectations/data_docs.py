"""Great Expectations' Data Docs, made fit to be opened from a folder with no network.

The pages that Great Expectations writes load styles and scripts from several public servers. Here
they keep their text and lose those references; a small style sheet takes their place.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import great_expectations as gx
from great_expectations.checkpoint import UpdateDataDocsAction

from expectations.engine import NO_VALUES, Engine, as_gx, findings_of
from expectations.outcome import Finding
from expectations.registry import Suite

SITE = "edition"

STYLE = """<style>
:root { color-scheme: light dark; --line: color-mix(in srgb, currentcolor 20%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
nav ol { display: flex; gap: 1rem; list-style: none; padding: 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left;
  vertical-align: top; }
ul { padding-left: 1.2rem; }
img, svg, button, .modal, .navbar-brand img, #gx-cta-footer { display: none; }
.fa-check-circle::before { content: "kept"; font-style: normal; }
.fa-times::before, .fa-times-circle::before { content: "broken"; font-style: normal;
  font-weight: bold; }
.fa-exclamation-triangle::before { content: "could not be judged"; font-style: normal; }
</style>"""

_REMOVED = (
    re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.IGNORECASE),
    re.compile(r"<(img|iframe|source|video|audio|embed|object)\b[^>]*>", re.IGNORECASE),
    re.compile(r"""\s(?:src|srcset|on[a-z]+|data-show-[a-z]+)\s*=\s*("[^"]*"|'[^']*')"""),
    re.compile(r"""<a\b[^>]*href\s*=\s*["']https?:[^>]*>.*?</a>""", re.DOTALL | re.IGNORECASE),
)


def render(engine: Engine, suites: Sequence[Suite], folder: Path) -> list[Finding]:
    """Run suites and write their Data Docs.

    Args:
        engine: where to run them.
        suites: what to run; their names must differ.
        folder: where the pages go; what was there is replaced.

    Returns:
        A finding for every promise, in order.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    context = engine.context
    context.add_data_docs_site(
        site_name=SITE,
        site_config={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    definitions = [
        context.validation_definitions.add(
            gx.ValidationDefinition(
                name=suite.name,
                data=engine.batch_definition(suite),
                suite=context.suites.add(as_gx(suite)),
            )
        )
        for suite in suites
    ]
    checkpoint = gx.Checkpoint(
        name=SITE,
        validation_definitions=definitions,
        actions=[UpdateDataDocsAction(name=SITE, site_names=[SITE])],
        result_format=NO_VALUES,
    )
    results = context.checkpoints.add(checkpoint).run().run_results.values()
    by_name = {result.suite_name: result for result in results}
    make_offline(folder)
    return [finding for suite in suites for finding in findings_of(suite, by_name[suite.name])]


def make_offline(folder: Path) -> None:
    """Take everything out of the pages that would ask a server, and what nothing then uses."""
    shutil.rmtree(folder / "static", ignore_errors=True)
    for page in folder.rglob("*.html"):
        page.write_text(_offline(page.read_text(encoding="utf-8")), encoding="utf-8")


def _offline(html: str) -> str:
    for pattern in _REMOVED:
        html = pattern.sub("", html)
    return html.replace("</head>", STYLE + "</head>", 1)
