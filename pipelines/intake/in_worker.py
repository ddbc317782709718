"""Imported first by a worker: polars, imported after it, takes these settings over.

One thread and no pool; and memory once had is kept for the next stretch, where asking the system
for it again would be a tenth of all work.
"""

import ctypes
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt` in the GNU C library, by which NumPy and Python itself get memory."""
KEPT = 1 << 30
"""Bytes: more than a stretch takes."""

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["_RJEM_MALLOC_CONF"] = "dirty_decay_ms:-1,muzzy_decay_ms:-1"

if hasattr(ctypes.CDLL(None), "mallopt"):
    for parameter in (TRIM_THRESHOLD, MMAP_THRESHOLD):
        ctypes.CDLL(None).mallopt(parameter, KEPT)
