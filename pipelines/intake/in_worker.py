"""Imported first by a worker: polars, imported after it, takes these settings over.

One thread and no pool; and memory once had is kept for the next stretch, where asking the system
for it again would be a tenth of all work.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["_RJEM_MALLOC_CONF"] = "dirty_decay_ms:-1,muzzy_decay_ms:-1"
