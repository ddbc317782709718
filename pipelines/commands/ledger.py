"""`tessera ledger`: what became of every record of every delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.console import (
    ATTENTION,
    USAGE,
    HomeOption,
    JsonOption,
    counted,
    emit,
    fail,
    home_and_settings,
    out,
)

if TYPE_CHECKING:
    from pipelines.intake.ledger import LedgerEntry

_COUNTS = {
    "read": "rows_read",
    "accepted": "accepted",
    "duplic.": "duplicate",
    "supers.": "superseded",
    "voided": "voided",
    "quarant.": "quarantined",
}


def command(
    delivery: Annotated[
        str | None, typer.Option("--delivery", help="Only this delivery.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show every delivery with the present outcome of its records.

    Reads the evidence log only, so it works while a build holds the warehouse. Ends with 1 when
    something waits for a person.

    Example: tessera ledger --home var --json
    """
    from pipelines.intake.ledger import ledger

    opened, _ = home_and_settings(home)
    entries = ledger(opened, delivery)
    if delivery is not None and not entries:
        fail(USAGE, f"no delivery {delivery}: run `tessera ledger` to see which there are")
    if json:
        for entry in entries:
            emit(entry.as_json())
    else:
        _print(entries)
    if any(entry.needs_a_person for entry in entries):
        if not json:
            out.print("Next: tessera quarantine list")
        raise typer.Exit(ATTENTION)


def _print(entries: list[LedgerEntry]) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not entries:
        out.print("Nothing has arrived yet. Next: put files into the inbox, then tessera run")
        return
    table = Table(box=None, pad_edge=False, show_footer=True)
    table.add_column("delivery", footer="all", overflow="fold", min_width=20)
    table.add_column("status", overflow="fold")
    for title, name in _COUNTS.items():
        table.add_column(title, justify="right", no_wrap=True, footer=_sum(entries, name))
    for entry in entries:
        table.add_row(
            escape(f"{entry.file}\n{entry.delivery_id}"),
            f"{entry.status}\n{entry.known_at:%Y-%m-%d}",
            *(f"{getattr(entry, name):,}" for name in _COUNTS.values()),
        )
    out.print(table)
    for entry in entries if len(entries) == 1 else ():
        for part, n_rows in entry.parts.items():
            out.print(escape(f"{part}: {counted(n_rows, 'row')}"))
    for entry in entries:
        if entry.reason is not None and entry.needs_a_person:
            out.print(escape(f"{entry.file}: {entry.reason} (owner: {entry.owner})"))


def _sum(entries: list[LedgerEntry], name: str) -> str:
    return f"{sum(getattr(entry, name) for entry in entries):,}"
