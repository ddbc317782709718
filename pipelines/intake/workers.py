"""Worker processes that read and validate, kept from one stage to the next."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from importlib import import_module
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import Any, TypeVar

Result = TypeVar("Result")

SMALL = 64 * 1024 * 1024
"""Bytes of a file: up to this, starting workers costs more than it saves."""

IMPORTED_ONCE = (
    "pipelines.intake.in_worker",
    "pipelines.intake.stretches",
    "pipelines.intake.chunk",
)
"""What the process that workers are forked from imports, in this order."""

_POOLS: dict[int, ProcessPoolExecutor] = {}
_STARTING = Lock()


def each(
    work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Yield what `work` gives for each task, in order.

    Each worker is kept busy with one task and one in waiting, and no more is held in memory.
    """
    pool = start(workers)
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


def expect(n_bytes: int, workers: int) -> None:
    """Begin to start workers, which takes a second, if a file of that size will need them."""
    if n_bytes > SMALL and workers > 1:
        Thread(target=start, args=(workers,)).start()


def start(workers: int) -> ProcessPoolExecutor:
    """Return that many workers; start them where they do not stand.

    Starting takes a second, in processes of their own: who knows that there will be work may call
    this beforehand, from another thread.
    """
    with _STARTING:
        if workers not in _POOLS:
            close()
            context = get_context("forkserver")
            context.set_forkserver_preload(list(IMPORTED_ONCE))
            pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
            for _ in range(workers):  # each task starts a worker while none is idle
                pool.submit(os.getpid)
            _POOLS[workers] = pool
        return _POOLS[workers]


def stand() -> bool:
    """Tell whether there are workers already."""
    return bool(_POOLS)


def close() -> None:
    """Let the workers go; the next stage that needs some starts new ones."""
    while _POOLS:
        _, pool = _POOLS.popitem()
        pool.shutdown(cancel_futures=True)


atexit.register(close)


def _begin() -> None:
    import_module(IMPORTED_ONCE[0])
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that it works for is gone, however that ended."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
