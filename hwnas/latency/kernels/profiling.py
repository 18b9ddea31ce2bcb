"""Profile networks in repeated passes, and the statistics of each kernel over all that run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwnas.cost import count
from hwnas.latency.block_ids import describe
from hwnas.latency.devices.device import Device, Runner, RunnerDiedError
from hwnas.latency.kernels.attribution import kernel_times
from hwnas.latency.kernels.fusion import cut, fused
from hwnas.latency.kernels.overhead import overhead_us
from hwnas.latency.kernels.percentiles import percentiles
from hwnas.latency.kernels.simplified import simplified
from hwnas.latency.measuring.journal import Record
from hwnas.latency.measuring.progress import ProgressCallback, Reporter
from hwnas.latency.measuring.retries import tried_again
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.measuring.watch import Watch
from hwnas.latency.tables.entry import Entry
from hwnas.latency.timing.lock import machine_lock
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.timing.samples import Chunk, join, p10
from hwnas.network.network import Network

Floats = NDArray[np.float64]

CLOCK_US = 1.0
"""Step of the profile's clock: passes whose percentiles are nearer than that agree."""

SMALLEST_US = 0.001
"""What a kernel is said to take that is not seen beside the profile's overhead: a table's last digit."""


@dataclass
class _Kernel:
    """A kernel and its times: one array (runs,) for each pass, odd or even, and place of execution."""

    network: Network
    passes: tuple[list[Floats], list[Floats]] = field(default_factory=lambda: ([], []))


def profile_kernels(
    subjects: Sequence[tuple[Subject, Network]],
    device: Device,
    protocol: Protocol,
    progress: ProgressCallback | None,
    seed: int,
) -> Record:
    """Entries of all kernels of networks that the device runs, with the sentinels' times meanwhile.

    Each pass takes the networks in random order, each in a session of its own in a fresh process. A pass
    whose process or connection ends is done again.

    Raises:
        As `hwnas.latency.kernels.harvest.measure_kernels`.
    """
    report = Reporter(progress, protocol.passes * len(subjects))
    order = np.random.default_rng((seed, len(subjects)))
    waiting = f"another measurement holds the {device.machine}; waiting for its end"
    with machine_lock(device.machine, lambda: report(waiting)) as descriptor:
        campaign = _Campaign(device, protocol, descriptor)
        for number in range(protocol.passes):
            listed = [subjects[int(index)] for index in order.permutation(len(subjects))]
            title = f"profiling, pass {number + 1} of {protocol.passes}"
            report.done = number * len(subjects)
            found = tried_again(partial(campaign.one_pass, listed, report, title), report, _give_up)
            campaign.keep(found, side=number % 2)
        report.done = protocol.passes * len(subjects)
    return campaign.record()


def _give_up(death: RunnerDiedError) -> None:
    raise death


class _Campaign:
    """What the profiles of several networks and passes said so far."""

    def __init__(self, device: Device, protocol: Protocol, descriptor: int) -> None:
        self._device, self._protocol, self._descriptor = device, protocol, descriptor
        self._watch = Watch(device.reading())
        self._kernels: dict[str, _Kernel] = {}
        self._sentinels: dict[str, list[Chunk]] = {name: [] for name in sentinels()}

    def one_pass(
        self, subjects: Sequence[tuple[Subject, Network]], notify: Callable[[str], None], title: str
    ) -> list[tuple[Network, Floats]]:
        """Profile each network once, and time the sentinels after each: kernels with times (runs,)."""
        found: list[tuple[Network, Floats]] = []
        with self._device.start((self._descriptor,)) as runner:
            runner.hold_machine(notify)
            added_us = overhead_us(runner, self._protocol)
            for name, model in sentinels().items():
                runner.load(name, model, self._protocol.warm_up)
            for subject, network in subjects:
                notify(title)
                found += self._profiled(runner, subject, network, added_us)
                self._time_sentinels(runner)
        return found

    def keep(self, found: Sequence[tuple[Network, Floats]], side: int) -> None:
        """Add what a whole pass found to the odd or the even ones."""
        for kernel, times in found:
            self._kernels.setdefault(kernel.key, _Kernel(kernel)).passes[side].append(times)

    def _profiled(
        self, runner: Runner, subject: Subject, network: Network, added_us: float
    ) -> list[tuple[Network, Floats]]:
        """The kernels of a network in the order of execution, less what the profile adds to each node."""
        runs = self._protocol.rounds * self._protocol.chunk
        model = self._device.prepare(subject.model())
        profile = runner.profile(subject.key, model, self._protocol.warm_up, runs)
        profile = replace(profile, times_us=profile.times_us - added_us)
        simple = simplified(network)
        kernels = fused(simple.network)
        times = kernel_times(profile, kernels, simple.done_by)
        return [(cut(layers, simple.network), times[:, place]) for place, layers in enumerate(kernels)]

    def _time_sentinels(self, runner: Runner) -> None:
        for name, chunks in self._sentinels.items():
            chunks.append(runner.run(name, self._protocol.discard, self._protocol.chunk))
            self._watch.add(chunks[-1])
        self._watch.look(runner.reading())

    def record(self) -> Record:
        """The kernels' entries."""
        entries = tuple(_entry(k, self._protocol) for k in self._kernels.values())
        times = {name: round(p10(join(chunks).wall_us), 3) for name, chunks in self._sentinels.items()}
        return Record(entries, times, self._watch.environment("not measured"))


def _entry(kernel: _Kernel, protocol: Protocol) -> Entry:
    """Means, over the places where the kernel is executed, of each place's statistics.

    The profile has one clock: the CPU time is not known apart from it.
    """
    odd, even = map(_p10, kernel.passes)
    places = [*kernel.passes[0], *kernel.passes[1]]
    is_idle = not any(times.any() for times in places)
    low, tenth, middle, ninetieth, mean = [SMALLEST_US] * 5 if is_idle else _statistics(places)
    is_apart = abs(odd / even - 1) >= protocol.tolerance and abs(odd - even) >= CLOCK_US
    counts = count(kernel.network).whole
    return Entry(
        kernel.network.key,
        "kernel",
        describe(kernel.network),
        n=sum(map(len, places)),
        min_us=low,
        p10_us=tenth,
        p50_us=middle,
        p90_us=ninetieth,
        mean_us=mean,
        cpu_p10_us=tenth,
        pass_ratio=round(odd / even, 5),
        flags=("unstable",) if is_apart else (),
        reason="the runtime executes nothing of its own for it" if is_idle else "",
        flops=counts.flops,
        params=counts.params,
    )


def _statistics(places: Sequence[Floats]) -> list[float]:
    """Means over the places of minimum, 10th, 50th and 90th percentile and mean, to a nanosecond."""
    spread = [[*percentiles(times, [0, 10, 50, 90]), times.mean() + CLOCK_US / 2] for times in places]
    return [max(SMALLEST_US, round(float(value), 3)) for value in np.mean(spread, axis=0)]


def _p10(places: Sequence[Floats]) -> float:
    """Mean over the places of the 10th percentile, in microseconds."""
    return max(SMALLEST_US, float(np.mean([percentiles(times, [10])[0] for times in places])))
