"""Great Expectations' Data Docs, made fit to be opened from a folder with no network.

The pages that Great Expectations writes load styles and scripts from several public servers. Here
they keep their text and lose those references; a small style sheet takes their place.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import great_expectations as gx

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
.broken { font-weight: bold; }
nav ol { margin: 0; }
svg, button, footer, .modal, .collapse, [data-toggle="collapse"], .sticky > .card:first-child {
  display: none; }
.fa-check-circle::before { content: "kept"; font-style: normal; }
.fa-times::before, .fa-times-circle::before { content: "broken"; font-style: normal;
  font-weight: bold; }
.fa-exclamation-triangle::before { content: "could not be judged"; font-style: normal; }
</style>"""

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What this edition promises</title>{style}</head><body>
<h1>What this edition promises</h1>
<p>{summary}</p>
{tables}
</body></html>
"""

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
        result_format=NO_VALUES,
    )
    results = context.checkpoints.add(checkpoint).run().run_results.values()
    context.build_data_docs(site_names=[SITE], build_index=False)
    by_name = {result.suite_name: result for result in results}
    findings = {suite.name: findings_of(suite, by_name[suite.name]) for suite in suites}
    make_offline(folder)
    (folder / "index.html").write_text(_index(folder, findings), encoding="utf-8")
    return [finding for found in findings.values() for finding in found]


def make_offline(folder: Path) -> None:
    """Take everything out of the pages that would ask a server, and what nothing then uses."""
    shutil.rmtree(folder / "static", ignore_errors=True)
    for page in folder.rglob("*.html"):
        page.write_text(_offline(page.read_text(encoding="utf-8")), encoding="utf-8")


def _offline(page: str) -> str:
    for pattern in _REMOVED:
        page = pattern.sub("", page)
    return page.replace("</head>", STYLE + "</head>", 1)


def _index(folder: Path, findings: dict[str, list[Finding]]) -> str:
    """Return the first page: every promise, what came of it, and the way to the details."""
    every = [finding for found in findings.values() for finding in found]
    n_broken = sum(not finding.is_kept for finding in every)
    summary = f"{len(every)} promises were judged, {n_broken} are broken."
    tables = "".join(_table(folder, name, found) for name, found in findings.items())
    return INDEX.format(style=STYLE, summary=summary, tables=tables)


def _table(folder: Path, name: str, findings: list[Finding]) -> str:
    page = next(folder.glob(f"validations/{name}/**/*.html")).relative_to(folder).as_posix()
    rows = "".join(_row(finding) for finding in findings)
    return (
        f'<h2><a href="{html.escape(page)}">{html.escape(name.capitalize())}</a></h2>'
        "<table><thead><tr><th>Promise</th><th>Result</th><th>If broken</th><th>Owner</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _row(finding: Finding) -> str:
    result = "kept" if finding.is_kept else "broken"
    cells = (finding.severity, finding.owner.replace("_", " "))
    return (
        f'<tr><td>{html.escape(finding.sentence)}</td><td class="{result}">{result}</td>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )
