"""The columns that the mapping writes, and the log of what it met."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pipelines.contracts import contract_for
from pipelines.contracts.schema import columns

PROBLEM = pl.Struct(
    {"code": pl.String, "field": pl.String, "value": pl.String, "suggestion": pl.String}
)
NOTE = pl.Struct({"code": pl.String, "field": pl.String, "detail": pl.String})
AT = "__at"
"""The position of a record within its frame."""


def records_schema(kind: str) -> dict[str, pl.DataType]:
    """Return the columns of the frames that the read stage writes for a kind."""
    fields = {column.name: pl.String() for column in columns(contract_for(kind))}
    return {
        "source_row": pl.Int64(),
        "source_cell": pl.String(),
        **fields,
        "problems": pl.List(PROBLEM),
        "notes": pl.List(NOTE),
        "row_known_at": pl.String(),
    }


@dataclass
class Log:
    """Problems and notes of the records of one frame, by position."""

    problems: list[pl.DataFrame] = field(default_factory=list)
    notes: list[pl.DataFrame] = field(default_factory=list)

    def problem(
        self, at: pl.Series, code: pl.Series, name: str | None, value: pl.Series, said: pl.Series
    ) -> None:
        """Enter a problem of the field for each position."""
        entry = pl.DataFrame({AT: at, "code": code, "value": value, "suggestion": said})
        self.problems.append(
            entry.select(
                AT,
                pl.struct(
                    "code", pl.lit(name, pl.String).alias("field"), "value", "suggestion"
                ).alias("entry"),
            )
        )

    def note(self, at: pl.Series, code: str, name: str | None, detail: str | None) -> None:
        """Enter the same note for each position."""
        entry = pl.struct(
            pl.lit(code).alias("code"),
            pl.lit(name, pl.String).alias("field"),
            pl.lit(detail, pl.String).alias("detail"),
        )
        self.notes.append(pl.DataFrame({AT: at}).select(AT, entry.alias("entry")))

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with columns `problems` and `notes`; empty lists where all is well."""
        for name, entries, dtype in (
            ("problems", self.problems, PROBLEM),
            ("notes", self.notes, NOTE),
        ):
            empty = pl.lit([], dtype=pl.List(dtype))
            if not entries:
                frame = frame.with_columns(empty.alias(name))
                continue
            lists = pl.concat(entries).group_by(AT, maintain_order=True).agg(pl.col("entry"))
            frame = frame.join(
                lists.rename({"entry": name}), on=AT, how="left", maintain_order="left"
            ).with_columns(pl.col(name).fill_null(empty))
        return frame
