"""Runs of the simulation in several processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

WORKERS = os.cpu_count() or 1


def in_processes[R](
    run: Callable[[int], R], seeds: Sequence[int], workers: int, chunk: int = 1
) -> Iterator[R]:
    """The reports of these seeds, in order. Processes are spawned: this one may have threads."""
    if workers == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run, seeds, chunksize=chunk)
