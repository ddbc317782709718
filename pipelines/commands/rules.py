"""`tessera rules`: the thresholds that statuses and signals rest on, with their sources."""

from __future__ import annotations

from dataclasses import asdict
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
    counted,
    emit,
    fail,
    given_settings,
    home_and_settings,
    out,
    progress,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from pipelines.rules import Catalogue
    from pipelines.rules.model import AiPolicy, RuleSet
    from pipelines.warehouse.dry_run import DryRun, Move, ThresholdChange

app = typer.Typer(
    help="Rule sets and AI policies, with their sources.",
    epilog="Example: tessera rules diff stricter.yaml --home var",
    no_args_is_help=True,
)

SHOWN = 20
"""How many lines of a kind are printed for people; `--json` has all."""
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
            metavar="FILE",
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
    What follows from the rules is built again with its data tests, as a run does.

    Example: tessera rules diff stricter.yaml --home var

    Exit codes: 0 nothing would move; 1 something would, or a data test warns; 2 the rules have
    faults, or there is no finished build by this version to compare with; 3 a data test or a model
    fails: a run with these rules would stop and publish nothing.
    """
    from pipelines.home import HomeError
    from pipelines.rules import RuleFileError, load_catalogue
    from pipelines.warehouse.build import BuildError, listed
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.dry_run import rules_diff

    opened, settings = home_and_settings(home)
    try:
        rules = load_catalogue(settings.site, proposed=proposed)
        with progress() as bars:
            bars.add_task("Judging once more on a copy", total=None)
            found = rules_diff(opened, settings, rules, as_of.date() if as_of else None)
    except BuildError as error:
        fail(FAILED, str(error))
    except (RuleFileError, WarehouseError, HomeError) as error:
        fail(USAGE, str(error))
    if json:
        _emit_moves(found)
    else:
        _print_moves(found)
    if found.failures:
        fail(
            FAILED,
            f"a run with these rules would stop and publish nothing:\n{listed(found.failures)}",
        )
    if found.moves and not json:
        file = "put the file into the folder rules/ of TESSERA_SITE and " if proposed else ""
        _say(f"To apply: {file}run `tessera run`.")
    if found.moves or found.warnings:
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
                "thresholds": [
                    asdict(threshold)
                    | {"before": _value(threshold.before), "after": _value(threshold.after)}
                    for threshold in found.thresholds
                ],
                "later": [
                    {"rule_set": later.name, "version": later.version, "begins_on": later.begins_on}
                    for later in found.later
                ],
                "learners": list(found.learners),
                "moved": {table: len(found.of(table)) for table in found.n_rows},
                "compared": found.n_rows,
                "reworded": found.n_reworded,
                "not_built": list(found.not_built),
                "tests_passed": found.n_passed,
                "tests_not_run": found.n_not_run,
                "warnings": [warning.sentence() for warning in found.warnings],
                "failures": [failure.sentence() for failure in found.failures],
            }
        }
    )


def _print_moves(found: DryRun) -> None:
    for name, (before, after) in found.versions.items():
        _say(f"{name}: version {before or 'none'} now, {after or 'none'} then")
    _say_each([_changed(threshold) for threshold in found.thresholds])
    for later in found.later:
        _say(f"{later.name} {later.version} begins on {later.begins_on}: {_remedy(found, later)}.")
    if not (found.versions or found.moves or found.not_built):
        _say(f"The rules in force are those of the build of {found.as_of}: nothing would move.")
    else:
        _print_tables(found)
    not_run = f", {found.n_not_run:,} were not reached" if found.n_not_run else ""
    _say(f"{counted(found.n_passed, 'data test')} of what was built again passed{not_run}.")
    for warning in found.warnings:
        _say(f"Warning: {warning.sentence()}")


def _remedy(found: DryRun, later: RuleSet) -> str:
    if found.versions.get(later.name, ("", ""))[1] is None:
        return (
            "until then no version is in force, since the file replaces the one of its version on "
            "all days; give it another `version`"
        )
    return f"to see what it would move, add --as-of {later.begins_on}"


def _print_tables(found: DryRun) -> None:
    for table, compared in found.n_rows.items():
        moves = found.of(table)
        one, many = NOUNS[table]
        reworded = sum(move.is_reworded for move in moves)
        alone = f", {reworded:,} of them in the reason alone" if reworded else ""
        _say(f"{len(moves):,} of {compared:,} {many if compared != 1 else one} would move{alone}.")
        _say_each([_sentence(move) for move in moves])
    for table in found.not_built:
        _say(f"What would move of the {NOUNS[table][1]} cannot be told: {table} is not built.")
    if found.moves:
        _say(f"This concerns {counted(len(found.learners), 'learner')}.")


def _say(line: str) -> None:
    out.print(line, soft_wrap=True, markup=False)


def _say_each(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        _say(f"  {line}")
    if len(lines) > SHOWN:
        _say(f"  and {len(lines) - SHOWN:,} more: --json names all")


def _changed(threshold: ThresholdChange) -> str:
    stage = f" of {threshold.stage}" if threshold.stage else ""
    before, after = (_value(value) or "none" for value in (threshold.before, threshold.after))
    return (
        f"{threshold.rule_set} {threshold.rule} {threshold.name}{stage}: {before} becomes {after}"
    )


def _value(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


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
            value = f"{_value(threshold.value)} {threshold.unit}"
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
