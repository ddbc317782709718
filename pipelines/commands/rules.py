"""`tessera rules`: the thresholds that statuses and signals rest on, with their sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.commands.console import (
    ATTENTION,
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    given_settings,
    home_and_settings,
    out,
    progress,
)

if TYPE_CHECKING:
    from pipelines.rules import Catalogue
    from pipelines.rules.model import AiPolicy, RuleSet
    from pipelines.warehouse.dry_run import DryRun, Move

app = typer.Typer(help="Rule sets and AI policies, with their sources.", no_args_is_help=True)

SHOWN = 20
"""How many moves of a kind are printed for people; `--json` has all."""
NOUNS = {
    "portfolio_competency_status": ("status", "statuses"),
    "portfolio_signal": ("signal", "signals"),
    "committee_agenda": ("place on the agenda", "places on the agenda"),
}


@app.callback()
def _main() -> None:
    """Rule sets and AI policies, with their sources."""


@app.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(help="A rule set or an AI policy; default: all.", show_default=False),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Say which versions are in force on this day; default: today.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show every rule with its thresholds and where they come from.

    Of each version it says whether it is the site's own, and whether it is in force.

    Example: tessera rules show programmatic_assessment
    """
    from pipelines.rules import RuleFileError, load_catalogue

    settings = given_settings(home)
    try:
        catalogue = load_catalogue(settings.site)
    except RuleFileError as error:
        fail(USAGE, str(error))
    entries = [entry for entry in catalogue.entries if name in (None, entry.name)]
    if not entries:
        _refuse_unknown(name, catalogue)
    day = (as_of or datetime.now(UTC)).date()
    in_force, default = catalogue.in_force(day), catalogue.default_on(day)
    for entry in entries:
        is_of_site, is_in_force = entry in catalogue.of_site, entry in in_force
        if json:
            told = {"is_of_site": is_of_site, "is_in_force": is_in_force}
            emit(entry.model_dump(mode="json") | told)
            continue
        origin = "the site's" if is_of_site else "shipped"
        standing = f"{origin}, {'' if is_in_force else 'not '}in force on {day}"
        _print_entry(entry, standing + (", the default" if entry == default else ""))


@app.command()
def diff(
    proposed: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="A rule file, or a folder of them; default: the rule files as they are now.",
            exists=True,
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Judge both sides on this day; default: the day of the build that stands.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Tell which statuses, signals and places on the agenda changed rules would move, and of whom.

    A dry run on a copy: nothing in the home changes. The file counts as if it lay in the site's
    folder `rules/`: it takes the place of shipped versions on the days on which it is in force.

    Example: tessera rules diff stricter.yaml --home var

    Exit codes: 0 nothing would move; 1 something would; 2 the rules have faults; 3 the build
    failed.
    """
    from pipelines.rules import RuleFileError, load_catalogue
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.dry_run import rules_diff

    opened, settings = home_and_settings(home)
    try:
        rules = load_catalogue(settings.site, proposed=proposed)
    except RuleFileError as error:
        fail(USAGE, str(error))
    try:
        with progress() as bars:
            bars.add_task("Judging once more on a copy", total=None)
            found = rules_diff(opened, settings, rules, as_of.date() if as_of else None)
    except WarehouseError as error:
        fail(FAILED, str(error))
    if json:
        _emit_moves(found)
    else:
        _print_moves(found)
    if found.moves:
        raise typer.Exit(ATTENTION)


def _emit_moves(found: DryRun) -> None:
    for move in found.moves:
        emit({"table": move.table, "key": move.key, "before": move.before, "after": move.after})
    emit(
        {
            "summary": {
                "as_of": found.as_of.isoformat(),
                "rule_sets": {
                    name: {"before": before, "after": after}
                    for name, (before, after) in found.versions.items()
                },
                "learners": list(found.learners),
                "moved": {table: len(found.of(table)) for table in found.n_rows},
                "compared": found.n_rows,
                "reworded": found.n_reworded,
            }
        }
    )


def _print_moves(found: DryRun) -> None:
    for name, (before, after) in found.versions.items():
        out.print(f"{name}: version {before or 'none'} now, {after or 'none'} then")
    if not (found.versions or found.moves or found.n_reworded):
        out.print(
            f"The rules in force on {found.as_of} are the same: nothing would move. For a version "
            "that begins later, give --as-of.",
            soft_wrap=True,
        )
        return
    for table, compared in found.n_rows.items():
        moves = found.of(table)
        one, many = NOUNS[table]
        out.print(f"{len(moves):,} of {compared:,} {many if compared != 1 else one} would move.")
        for move in moves[:SHOWN]:
            out.print(f"  {_sentence(move)}", soft_wrap=True)
        if len(moves) > SHOWN:
            out.print(f"  and {len(moves) - SHOWN:,} more: --json names all")
    if found.n_reworded:
        out.print(f"{found.n_reworded:,} statuses stay, with another reason.")
    if found.moves:
        out.print(
            f"{len(found.learners):,} learners are concerned. To apply: put the file into the "
            "site's folder rules/ and run `tessera run`."
        )


def _sentence(move: Move) -> str:
    key = " ".join(str(part) for part in move.key.values() if part is not None)
    fields = move.moved if move.before and move.after else move.moved[:1]
    changes = (
        f"{field.replace('_', ' ')} {_told(move.before, field)} becomes {_told(move.after, field)}"
        for field in fields
    )
    return f"{key}: {', '.join(changes)}"


def _told(side: dict[str, object] | None, field: str) -> str:
    value = side[field] if side else None
    if value is None:
        return "none"
    if isinstance(value, list):
        value = " and ".join(value) or "none"
        return value.replace("_", " ")
    return f'"{value}"' if " " in str(value) else str(value).replace("_", " ")


def _refuse_unknown(name: str | None, catalogue: Catalogue) -> NoReturn:
    known = sorted({entry.name for entry in catalogue.entries})
    fail(USAGE, f"no rule set or AI policy {name!r}; there are: {', '.join(known) or 'none'}")


def _print_entry(entry: RuleSet | AiPolicy, standing: str) -> None:
    from pipelines.rules.model import RuleSet

    if isinstance(entry, RuleSet):
        _print_rules(entry, standing)
    else:
        _print_policy(entry, standing)


def _print_rules(rules: RuleSet, standing: str) -> None:
    from rich.table import Table

    table = Table(
        "rule",
        "threshold",
        "value",
        "source",
        title=f"{rules.title} ({rules.rule_set} {rules.version}), "
        f"from {rules.effective_from}; {standing}",
        title_justify="left",
    )
    for rule in rules.rules:
        for threshold in rule.thresholds:
            value = f"{threshold.value.normalize():f} {threshold.unit}"
            table.add_row(rule.id, threshold.name, value, threshold.source)
        if not rule.thresholds:
            table.add_row(rule.id, "", "", rule.words)
    out.print(table)


def _print_policy(policy: AiPolicy, standing: str) -> None:
    from rich.table import Table

    table = Table(
        "level",
        "label",
        "AI use",
        "declaration",
        title=f"{policy.title} ({policy.ai_policy_scale} {policy.version}), "
        f"from {policy.effective_from}; {standing}; {policy.source}",
        title_justify="left",
    )
    for level in policy.levels:
        table.add_row(
            str(level.level),
            level.label,
            "allowed" if level.allows_use else "not allowed",
            "required" if level.requires_declaration else "not required",
        )
    out.print(table)
