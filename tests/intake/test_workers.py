"""Workers share the cores: one process each, one thread of polars each."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipelines.intake import workers

THREADS = "POLARS_MAX_THREADS"
PAUSE = 0.3
"""Seconds of a task: long enough that no worker takes all of them."""

STARTS_WORKERS = """
import os, signal
from pipelines.intake import workers

if __name__ == "__main__":
    pool = workers.start(2)
    pids = {pool.submit(os.getpid).result() for _ in range(50)} | set(pool._processes)
    print(*pids, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _asked(_number: int) -> tuple[int, int]:
    import polars as pl

    time.sleep(PAUSE)
    return os.getpid(), pl.thread_pool_size()


def _faults_of_asking_again(n_bytes: int) -> int:
    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    assert len(b"x" * n_bytes) == n_bytes
    before = faults()
    assert len(b"x" * n_bytes) == n_bytes
    return faults() - before


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
def test_a_worker_keeps_the_memory_that_it_once_had() -> None:
    workers.close()
    try:
        n_bytes = 64 * 1024 * 1024
        (found,) = workers.each(_faults_of_asking_again, [(n_bytes,)], 1)
    finally:
        workers.close()
    assert found < n_bytes / resource.getpagesize() / 10


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


def test_workers_end_when_the_process_that_they_work_for_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "starts_workers.py"
    script.write_text(STARTS_WORKERS)
    started = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    assert started.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in started.stdout.split()]
    assert len(pids) == 2
    end = time.monotonic() + 20
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, pids))


def test_workers_may_be_started_before_there_is_work() -> None:
    workers.close()
    try:
        pool = workers.start(2)
        assert workers.start(2) is pool
        assert len(dict(workers.each(_asked, ((number,) for number in range(4)), 2))) == 2
        assert workers.start(2) is pool
    finally:
        workers.close()


def test_workers_are_expected_for_large_files_alone() -> None:
    workers.close()
    try:
        workers.expect(workers.SMALL, 2)
        workers.expect(workers.SMALL + 1, 1)
        assert not workers.stand()
        workers.expect(workers.SMALL + 1, 2)
        assert len(dict(workers.each(_asked, ((number,) for number in range(4)), 2))) == 2
        assert workers.stand()
    finally:
        workers.close()
    assert not workers.stand()
