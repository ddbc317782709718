"""Imported first by a worker: polars, imported after it, starts one thread and no pool."""

import os

os.environ["POLARS_MAX_THREADS"] = "1"
