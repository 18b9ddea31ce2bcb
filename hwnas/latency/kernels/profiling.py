"""Profile networks in repeated passes, and the statistics of each kernel over all that run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwnas.cost import count
from hwnas.latency.devices.device import Chunk, Device, Runner
from hwnas.latency.kernels.attribution import kernel_times
from hwnas.latency.kernels.fusion import cut, fused
from hwnas.latency.kernels.percentiles import percentiles
from hwnas.latency.kernels.simplified import simplified
from hwnas.latency.measuring.journal import Record
from hwnas.latency.measuring.lock import machine_lock
from hwnas.latency.measuring.progress import ProgressCallback, Reporter
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.measuring.watch import Watch
from hwnas.latency.predictors.block_ids import describe
from hwnas.latency.tables.entry import Entry
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.timing.samples import join, statistics
from hwnas.network.network import Network

Floats = NDArray[np.float64]

CLOCK_US = 1.0
"""Step of the profile's clock: passes whose percentiles are nearer than that agree."""

SMALLEST_US = 0.001
"""What a kernel is said to take for which the runtime executes nothing of its own: a table's last digit."""


@dataclass
class _Kernel:
    """A kernel and its times: one array (runs,) for each pass and place where it was executed."""

    network: Network
    passes: dict[int, list[Floats]] = field(default_factory=dict)


def profile_kernels(
    subjects: Sequence[tuple[Subject, Network]],
    device: Device,
    protocol: Protocol,
    progress: ProgressCallback | None,
    seed: int,
) -> Record:
    """Entries of all kernels of networks that the device runs, with the sentinels' times meanwhile.

    Each pass takes the networks in random order, each in a session of its own in a fresh process.

    Raises:
        As `hwnas.latency.kernels.harvest.measure_kernels`.
    """
    report = Reporter(progress, protocol.passes * len(subjects))
    watch = Watch(device.reading())
    kernels: dict[str, _Kernel] = {}
    chunks: dict[str, list[Chunk]] = {name: [] for name in sentinels()}
    order = np.random.default_rng((seed, len(subjects)))
    waiting = f"another measurement holds the {device.machine}; waiting for its end"
    with machine_lock(device.machine, lambda: report(waiting)) as descriptor:
        for number in range(protocol.passes):
            with device.start((descriptor,)) as runner:
                for name, model in sentinels().items():
                    runner.load(name, model, protocol.warm_up)
                for index in order.permutation(len(subjects)):
                    report(f"profiling, pass {number + 1} of {protocol.passes}")
                    subject, network = subjects[int(index)]
                    _profile(runner, subject, network, protocol, number, kernels)
                    for name in chunks:
                        chunks[name].append(runner.run(name, protocol.discard, protocol.chunk))
                        watch.add(chunks[name][-1])
                    watch.look(runner.reading())
                    report.done += 1
    entries = tuple(_entry(kernel, protocol) for kernel in kernels.values())
    times = {name: statistics([join(parts), join(parts)]).p10_us for name, parts in chunks.items()}
    return Record(entries, times, watch.environment("not measured"))


def _profile(
    runner: Runner,
    subject: Subject,
    network: Network,
    protocol: Protocol,
    number: int,
    kernels: dict[str, _Kernel],
) -> None:
    """One profile of one network: its kernels' times are added to `kernels`."""
    runs = protocol.rounds * protocol.chunk
    profile = runner.profile(subject.key, subject.model(), protocol.warm_up, runs)
    simple = simplified(network)
    parts = fused(simple.network)
    times = kernel_times(profile, parts, simple.done_by)
    for place, layers in enumerate(parts):
        part = cut(layers, simple.network)
        kernel = kernels.setdefault(part.key, _Kernel(part))
        kernel.passes.setdefault(number % 2, []).append(times[:, place])


def _entry(kernel: _Kernel, protocol: Protocol) -> Entry:
    """Means over the places where the kernel is executed of each place's statistics.

    The profile has one clock: the CPU time is not known apart from it.
    """
    odd, even = (_p10(kernel.passes[side]) for side in (0, 1))
    places = [sample for side in kernel.passes.values() for sample in side]
    low, tenth, middle, ninetieth = np.mean([percentiles(p, [0, 10, 50, 90]) for p in places], axis=0)
    is_idle = not any(sample.any() for sample in places)
    mean = np.mean([sample.mean() + CLOCK_US / 2 for sample in places])
    times = [SMALLEST_US if is_idle else round(float(v), 3) for v in (low, tenth, middle, ninetieth, mean)]
    apart = abs(odd / even - 1) >= protocol.tolerance and abs(odd - even) >= CLOCK_US
    counts = count(kernel.network).whole
    return Entry(
        kernel.network.key,
        "kernel",
        describe(kernel.network),
        sum(map(len, places)),
        min_us=times[0],
        p10_us=times[1],
        p50_us=times[2],
        p90_us=times[3],
        mean_us=times[4],
        cpu_p10_us=times[1],
        pass_ratio=round(odd / even, 5),
        flags=("unstable",) if apart else (),
        reason="the runtime executes nothing of its own for it" if is_idle else "",
        flops=counts.flops,
        params=counts.params,
    )


def _p10(places: Sequence[Floats]) -> float:
    """Mean over the places of the 10th percentile, in microseconds."""
    return float(np.mean([percentiles(times, [10])[0] for times in places]))
