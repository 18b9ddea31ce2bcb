"""Scoring many architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from hwnas.executors import InlineExecutor, in_order
from hwnas.proxies.sweep.journal import SweepJournal
from hwnas.proxies.sweep.settings import SweepSettings, digest_of
from hwnas.proxies.sweep.table import ScoreTable
from hwnas.proxies.sweep.work import Batch, Score, counts_of, keys_of, scores_of
from hwnas.proxies.untrained import COUNTED
from hwnas.spaces import Architecture

KEYS_AT_ONCE = 50
SCORES_AT_ONCE = 4

T = TypeVar("T")
Progress = Callable[[int, int, str], None]


def score_architectures(
    architectures: Sequence[Architecture],
    proxies: Sequence[str],
    inputs: Tensor,
    targets: Tensor,
    *,
    seed: int = 0,
    data: str = "given",
    executor: Executor | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> ScoreTable:
    """Score untrained architectures of one space, those that cannot be told apart once.

    Equal seeds, batches and proxies give equal scores, whatever the executor and whatever else is scored. The
    networks are initialised by torch's defaults from `seed`, in train mode; disconnected ones are not built.

    Args:
        architectures: at least one, all of one space.
        proxies: names.
        inputs: one batch of images (B, ...), float32.
        targets: its labels (B,).
        seed: of the initialisation.
        data: the name of the data set that the batch is from.
        executor: where to score: a process pool, `dask.distributed.Client().get_executor()`, or any other of
            `concurrent.futures`; in this process by default.
        journal: file in which scores are kept as they come; a further call with it goes on from there.
        progress: called with (done, total, what is being done).

    Raises:
        ValueError: no architecture, two spaces, an unknown proxy, a batch that does not fit, or a journal of
            other settings.
        OSError: a worker process was killed.
    """
    spaces = {str(architecture.space) for architecture in architectures}
    if len(spaces) != 1:
        raise ValueError(f"architectures: of one space, at least one; found {len(spaces)} spaces")
    settings = SweepSettings(
        spaces.pop(), tuple(proxies), data, len(inputs), digest_of(inputs, targets), seed
    )
    counted = [name for name in proxies if name in COUNTED]
    computed = [name for name in proxies if name not in COUNTED]
    report = progress or _silent
    keys = [""] * len(architectures)
    kept = SweepJournal(settings, journal)
    if computed:
        pool = executor or InlineExecutor()
        keys = list(_keys(architectures, pool, report))
        representatives = dict(zip(reversed(keys), reversed(architectures), strict=True))
        _score(representatives, computed, Batch(inputs, targets, seed), pool, kept, report)
    rows = [
        kept.scores.get(key, {}) | (counts_of(architecture, counted) if counted else {})
        for key, architecture in zip(keys, architectures, strict=True)
    ]
    texts = tuple(str(architecture) for architecture in architectures)
    scores: dict[str, tuple[Score, ...]] = {name: tuple(row[name] for row in rows) for name in proxies}
    return ScoreTable(settings, texts, tuple(keys), scores)


def _keys(architectures: Sequence[Architecture], executor: Executor, report: Progress) -> Iterator[str]:
    chunks = list(_chunks(architectures, KEYS_AT_ONCE))
    done = 0
    for keys in in_order(executor, keys_of, [(chunk,) for chunk in chunks]):
        yield from keys
        done += len(keys)
        report(done, len(architectures), "finding isomorphic networks")


def _score(
    representatives: dict[str, Architecture],
    proxies: Sequence[str],
    batch: Batch,
    executor: Executor,
    kept: SweepJournal,
    report: Progress,
) -> None:
    missing = [key for key in representatives if key not in kept.scores]
    done = len(representatives) - len(missing)
    chunks = list(_chunks(missing, SCORES_AT_ONCE))
    calls = [([representatives[key] for key in chunk], proxies, batch) for chunk in chunks]
    for chunk, scores in zip(chunks, in_order(executor, scores_of, calls), strict=True):
        for key, found in zip(chunk, scores, strict=True):
            kept.add(key, found)
        done += len(chunk)
        report(done, len(representatives), "scoring")


def _chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _silent(done: int, total: int, message: str) -> None:
    pass
