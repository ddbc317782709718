"""`tessera rules`: the thresholds that statuses and signals rest on, with their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.commands.console import (
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

if TYPE_CHECKING:
    from pipelines.rules import Catalogue
    from pipelines.rules.model import AiPolicy, RuleSet

app = typer.Typer(help="Rule sets and AI policies, with their sources.", no_args_is_help=True)


@app.callback()
def _main() -> None:
    """Rule sets and AI policies, with their sources."""


@app.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(help="A rule set or an AI policy; default: all.", show_default=False),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show every rule with its thresholds and where they come from.

    Example: tessera rules show programmatic_assessment
    """
    from pipelines.rules import RuleFileError, load_catalogue

    _, settings = home_and_settings(home)
    try:
        catalogue = load_catalogue(settings.site)
    except RuleFileError as error:
        fail(USAGE, str(error))
    rule_sets = [r for r in catalogue.rule_sets if name in (None, r.rule_set)]
    policies = [p for p in catalogue.ai_policies if name in (None, p.ai_policy_scale)]
    if not rule_sets and not policies:
        _refuse_unknown(name, catalogue)
    for rules in rule_sets:
        if json:
            emit(rules.model_dump(mode="json"))
        else:
            _print_rules(rules)
    for policy in policies:
        if json:
            emit(policy.model_dump(mode="json"))
        else:
            _print_policy(policy)


def _refuse_unknown(name: str | None, catalogue: Catalogue) -> NoReturn:
    known = sorted(
        {rules.rule_set for rules in catalogue.rule_sets}
        | {policy.ai_policy_scale for policy in catalogue.ai_policies}
    )
    fail(USAGE, f"no rule set or AI policy {name!r}; there are: {', '.join(known) or 'none'}")


def _print_rules(rules: RuleSet) -> None:
    from rich.table import Table

    default = ", the default" if rules.is_default else ""
    table = Table(
        "rule",
        "threshold",
        "value",
        "source",
        title=f"{rules.title} ({rules.rule_set} {rules.version}{default}), "
        f"from {rules.effective_from}",
        title_justify="left",
    )
    for rule in rules.rules:
        for threshold in rule.thresholds:
            value = f"{threshold.value.normalize():f} {threshold.unit}"
            table.add_row(rule.id, threshold.name, value, threshold.source)
        if not rule.thresholds:
            table.add_row(rule.id, "", "", rule.words)
    out.print(table)


def _print_policy(policy: AiPolicy) -> None:
    from rich.table import Table

    table = Table(
        "level",
        "label",
        "AI use",
        "declaration",
        title=f"{policy.title} ({policy.ai_policy_scale} {policy.version}), {policy.source}",
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
