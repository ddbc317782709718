"""Worker processes that read and validate, kept from one stage to the next."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

Result = TypeVar("Result")

_POOLS: dict[int, ProcessPoolExecutor] = {}


def each(
    work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Yield what `work` gives for each task, in order.

    Each worker is kept busy with one task and one in waiting, and no more is held in memory.
    """
    pool = _pool(workers)
    rest = iter(tasks)
    running: list[Future[Result]] = []
    try:
        running += [pool.submit(work, *task) for task in islice(rest, 2 * workers)]
        while running:
            result = running.pop(0).result()
            running += [pool.submit(work, *task) for task in islice(rest, 1)]
            yield result
    except BrokenExecutor:
        close()
        raise
    finally:
        for future in running:
            future.cancel()


def close() -> None:
    """Let the workers go; the next stage that needs some starts new ones."""
    while _POOLS:
        _, pool = _POOLS.popitem()
        pool.shutdown(cancel_futures=True)


atexit.register(close)


def _pool(workers: int) -> ProcessPoolExecutor:
    if workers not in _POOLS:
        close()
        pool = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_stay_with_one_thread
        )
        for _ in range(workers):  # each task starts a worker while none is idle
            pool.submit(os.getpid)
        _POOLS[workers] = pool
    return _POOLS[workers]


def _stay_with_one_thread() -> None:
    """Give polars, which a worker imports with its first task, no pool to fight for the cores."""
    os.environ["POLARS_MAX_THREADS"] = "1"
