"""Workers share the cores: one process each, one thread of polars each."""

from __future__ import annotations

import os
import time

from pipelines.intake import workers

THREADS = "POLARS_MAX_THREADS"
PAUSE = 0.3
"""Seconds of a task: long enough that no worker takes all of them."""


def _asked(_number: int) -> tuple[int, int]:
    import polars as pl

    time.sleep(PAUSE)
    return os.getpid(), pl.thread_pool_size()


def test_every_worker_has_one_thread_of_polars_and_the_parent_keeps_its_own() -> None:
    before = os.environ.get(THREADS)
    workers.close()
    try:
        told = dict(workers.each(_asked, ((number,) for number in range(6)), 2))
    finally:
        workers.close()
    assert len(told) == 2
    assert set(told.values()) == {1}
    assert os.environ.get(THREADS) == before


def test_results_come_in_the_order_of_the_tasks() -> None:
    try:
        assert list(workers.each(divmod, ((number, 3) for number in range(20)), 2)) == [
            divmod(number, 3) for number in range(20)
        ]
    finally:
        workers.close()
