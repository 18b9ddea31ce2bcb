"""TE-NAS as a search: a space's supernetwork is pruned round by round, by proxies, and nothing is trained.

    found = prune(NASBench201(), data="cifar10.npz", folder="runs/tenas")
    found.architecture

Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically Inspired Perspective"
(TE-NAS), ICLR 2021.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from hwnas.differentiable.checkpoint import differences
from hwnas.differentiable.fitting import fingerprint, fitting
from hwnas.differentiable.pruning.record import PRUNING, PruningRecord, Round, load_pruning
from hwnas.differentiable.pruning.reduced import remaining_architecture
from hwnas.differentiable.pruning.tenas import ProxyMeasure, batch_measure, regions_measure, rounds
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.proxies.registry import get
from hwnas.spaces import Architecture, SearchSpace
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.threads import one_torch_thread
from hwnas.torch_device import check_torch_device
from hwnas.training import DataSet

SMALL = {"nasbench201": {"channels": 3, "cells": 1}, "darts": {"channels": 1, "layers": 3}}
"""The size of the networks that are scored, by the name of their space, as in TE-NAS' release; ours of DARTS
has a second reduction cell, which its skeleton needs."""

REGIONS_BLOCKS = {"nasbench201": ("stage0.cell0", "head")}
"""The blocks whose linear regions are counted, by the name of the space; elsewhere the whole network."""


@dataclass(frozen=True)
class PruningSettings:
    """How a supernetwork is pruned; the defaults are TE-NAS' for NAS-Bench-201.

    Attributes:
        proxies: whose ranks add up, joined by `+`; the first one settles ties.
        batch: images that they are scored on; linear regions have crops of their own.
        number: of choices that a group loses in a round.
        repeats: initialisations that are averaged.
        device: cpu or cuda, where networks are scored; an answer that is trained is trained there, too.

    Raises:
        ValueError: a number below 1, or a batch of 1 for `ntk_cond`, which compares images; no such proxy; a
            device that torch does not have.
    """

    proxies: str = "ntk_cond+linear_regions"
    batch: int = 72
    number: int = 1
    repeats: int = 3
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("batch", "number", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in self.proxies.split("+"):
            get(name)
        if self.batch == 1 and "ntk_cond" in self.proxies.split("+"):
            raise ValueError("batch must be at least 2 for ntk_cond, which compares images")
        check_torch_device(self.device)


def published_settings(space: SearchSpace) -> PruningSettings:
    """TE-NAS' own: 14 images and 3 choices a round for DARTS' cells; else those of NAS-Bench-201."""
    return PruningSettings(batch=14, number=3) if space.name == "darts" else PruningSettings()


def small_twin(space: SearchSpace) -> SearchSpace:
    """The space of the same choices whose networks are small enough to be scored, or the space itself."""
    if space.name not in SMALL:
        return space
    return type(space)(**{**space.settings(), **SMALL[space.name]})


def number_of_rounds(space: SearchSpace, number: int) -> int:
    """How many rounds the search takes; the same whatever the proxies say."""
    supernetwork = small_twin(space).supernetwork()
    return len(list(rounds(supernetwork, [lambda _, removals: dict.fromkeys(removals, 0.0)], number=number)))


@dataclass(frozen=True, eq=False)
class PruningRun:
    """A search that ended.

    Attributes:
        record: of its rounds, as it stands in the folder.
        architecture: the answer.
    """

    record: PruningRecord
    architecture: Architecture


def prune(
    space: SearchSpace,
    *,
    data: DataSet | str,
    folder: Path | str,
    settings: PruningSettings | None = None,
    seed: int = 0,
    progress: Callable[[Round], None] | None = None,
) -> PruningRun:
    """Prune the supernetwork of `space`; the same call on a folder goes on after its last whole round.

    The same arguments give the same result, interrupted or not.

    Args:
        space: with a supernetwork.
        data: whose train images the proxies see, or what `hwnas.training.load` takes.
        folder: of the search; gets pruning.json.
        settings: None for `published_settings`.
        seed: that draws the initialisations and their images; other seeds share none.
        progress: called after each round, and with what the search begins with.

    Raises:
        ValueError: a space without a supernetwork, data that does not fit it or has too few images, a proxy
            that the networks cannot be scored by, a folder with another search or a damaged one.
    """
    settings = settings or published_settings(space)
    scored = small_twin(space)
    supernetwork = scored.supernetwork()
    loaded = fitting(supernetwork, data)
    record = PruningRecord(
        space=str(space),
        scored=str(scored),
        settings={"data": fingerprint(loaded), **asdict(settings), "seed": seed},
        groups=supernetwork.groups,
        rounds=(),
        architecture="",
    )
    where = Path(folder)
    record = _resumed(record, where)
    if settings.batch > len(loaded.train_labels) and settings.proxies != "linear_regions":
        there = f"{len(loaded.train_labels)}, the train images of {loaded.name}"
        raise ValueError(f"batch must be at most {there}; got {settings.batch}")
    measures = _measures(supernetwork, loaded, settings, seed)
    for measure in measures.values():
        measure.check(all_but_zeros(supernetwork))
    where.mkdir(parents=True, exist_ok=True)
    with one_torch_thread():
        record = _searched(record, supernetwork, measures, where, progress)
    answer = remaining_architecture(space.supernetwork(), record.rounds[-1].remaining)
    record = replace(record, architecture=str(answer))
    record.save(where)
    return PruningRun(record, answer)


def _searched(
    record: PruningRecord,
    supernetwork: Supernetwork,
    measures: Mapping[str, ProxyMeasure],
    folder: Path,
    progress: Callable[[Round], None] | None,
) -> PruningRecord:
    number, started = record.settings["number"], time.perf_counter()
    begun = [] if record.rounds else [all_but_zeros(supernetwork)]
    remaining = begun[0] if begun else record.rounds[-1].remaining
    pruning = rounds(supernetwork, list(measures.values()), number=number, remaining=remaining)
    for left in chain(begun, pruning):
        values = {name: _finite(measure.value(left)) for name, measure in measures.items()}
        ended = Round(len(record.rounds), left, values, time.perf_counter() - started)
        record = replace(record, rounds=(*record.rounds, ended))
        record.save(folder)
        if progress is not None:
            progress(ended)
        started = time.perf_counter()
    return record


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _resumed(wanted: PruningRecord, folder: Path) -> PruningRecord:
    """The record in the folder, if there is one; raises ValueError where it is of another search."""
    if not (folder / PRUNING).exists():
        return wanted
    kept = load_pruning(folder)
    if different := differences(_decides(kept), _decides(wanted)):
        raise ValueError(
            f"{folder} holds a search with other settings ({'; '.join(different)}); choose another folder"
        )
    return kept


def _decides(record: PruningRecord) -> dict[str, Any]:
    return {"space": record.space, "scored": record.scored, **record.settings}


def _measures(
    supernetwork: Supernetwork, data: DataSet, settings: PruningSettings, seed: int
) -> dict[str, ProxyMeasure]:
    return {name: _measure(supernetwork, name, data, settings, seed) for name in settings.proxies.split("+")}


def _measure(
    supernetwork: Supernetwork, proxy: str, data: DataSet, settings: PruningSettings, seed: int
) -> ProxyMeasure:
    repeats, device = settings.repeats, settings.device
    if proxy == "linear_regions":
        blocks = REGIONS_BLOCKS.get(supernetwork.space.name, ())
        return regions_measure(supernetwork, data, blocks=blocks, repeats=repeats, seed=seed, device=device)
    return batch_measure(
        supernetwork, proxy, data, batch=settings.batch, repeats=repeats, seed=seed, device=device
    )
