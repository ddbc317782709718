"""Settings from the environment, typed and checked once."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

INTAKE_BYTES = 1_000_000_000
"""What DuckDB needs at most to check and load a delivery of any size."""

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}

READ_OF_SITE = ("sources/*.yaml", "sources/*.csv", "rules/*.yaml", "codes/*.csv")
"""What is read of a site's folder: specs with their lookups, rule files and code lists."""
MEANT_TO_BE_READ = re.compile(r"[^.][^/]*\.ya?ml|[^.][^/]*/[^.][^/]*\.(ya?ml|csv)", re.IGNORECASE)
"""Where somebody may mean to declare something: in a file of these endings, unless it is hidden."""


class Settings(BaseSettings):
    """What a site decides outside the repository, as `TESSERA_*` variables."""

    model_config = SettingsConfigDict(env_prefix="TESSERA_", env_ignore_empty=True, extra="ignore")

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
    late_hours: float = Field(default=3, gt=0, le=168)
    """After how many hours a run of intake or of the portfolio that has not ended is late."""
    notifier: str | None = Field(default=None, pattern=r"^[\w.]+:[A-Za-z_]\w*$")
    """`module:name` of what makes an Airflow notifier, for a pack that waits and for a run that is
    late; nobody by default."""

    @field_validator("site")
    @classmethod
    def _is_read_whole(cls, site: Path | None) -> Path | None:
        """Refuse a folder that is not there, or in which something is declared to nobody."""
        if site is None:
            return None
        if not site.is_dir():
            raise ValueError(f"there is no folder {site}: make it, or name the site's own folder")
        read = {path for pattern in READ_OF_SITE for path in site.glob(pattern)}
        present = {path for depth in ("*", "*/*") for path in site.glob(depth)}
        unread = sorted(
            str(path)
            for path in present - read
            if MEANT_TO_BE_READ.fullmatch(path.relative_to(site).as_posix())
        )
        if unread:
            raise ValueError(
                f"nothing reads {', '.join(unread)}: only {', '.join(READ_OF_SITE)} of the site's "
                "folder are read; rename the file, or move it elsewhere"
            )
        return site

    @property
    def intake_memory_limit(self) -> str:
        """Return how much memory DuckDB may take while it checks and loads deliveries.

        It works through them in a stream, so that more would only hold pages for nothing.
        """
        unit = self.memory_limit.lstrip("0123456789. ")
        number = float(self.memory_limit.removesuffix(unit))
        return f"{min(INTAKE_BYTES, int(number * UNITS[unit]))}B"
