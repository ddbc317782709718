"""Settings from the environment, typed and checked once."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

INTAKE_BYTES = 1_000_000_000
"""What DuckDB needs at most to check and load a delivery of any size."""

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}


class Settings(BaseSettings):
    """What a site decides outside the repository, as `TESSERA_*` variables."""

    model_config = SettingsConfigDict(env_prefix="TESSERA_", extra="ignore")

    home: Path = Path("var")
    """Where everything lives: inbox, log, warehouse, editions, packs."""
    site: Path | None = None
    """A folder with `sources/*.yaml`, `rules/*.yaml` and `codes/*.csv` of the site's own."""
    memory_limit: str = Field(
        default="4GB", pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
    )
    """How much memory DuckDB may take."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many worker processes read and validate."""
    learners_at_once: int = Field(default=10_000, ge=1)
    """For how many learners a kept table is made at a time."""
    release_days: float = Field(default=7, gt=0, le=366)
    """How many days a frozen pack waits for a person to release it; then it counts as rejected."""
    notifier: str | None = Field(default=None, pattern=r"^[\w.]+:[A-Za-z_]\w*$")
    """`module:name` of what makes an Airflow notifier for a pack that waits; nobody by default."""

    @property
    def intake_memory_limit(self) -> str:
        """Return how much memory DuckDB may take while it checks and loads deliveries.

        It works through them in a stream, so that more would only hold pages for nothing.
        """
        unit = self.memory_limit.lstrip("0123456789. ")
        number = float(self.memory_limit.removesuffix(unit))
        return f"{min(INTAKE_BYTES, int(number * UNITS[unit]))}B"
