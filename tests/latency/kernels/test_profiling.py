"""A made-up device whose nodes take known times: what becomes of them in a table."""

from functools import partial

import numpy as np
import pytest

from hwnas.latency import STANDARD, Protocol
from hwnas.latency.devices.device import Device, ModelFailedError, Profile, Runner, RunnerDiedError
from hwnas.latency.kernels.overhead import NODES, overhead_us
from hwnas.latency.kernels.profiling import SMALLEST_US, profile_kernels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.timing.samples import Chunk
from hwnas.network import Builder
from tests.latency.helpers import CARD, RUNTIME

PROTOCOL = Protocol(rounds=10, chunk=10)
PLAIN_US, PROFILED_US = 0.5, 2


class MadeUp(Runner):
    """Nodes take whole microseconds; the chain that shows the overhead takes `PLAIN_US` a node."""

    def __init__(self, nodes, factor):
        self.nodes, self.factor = nodes, factor

    def load(self, key, model, warm_up):
        return 1

    def run(self, key, discard, count):
        times = np.full(count, NODES * PLAIN_US if key == "profile-overhead" else 100.0)
        return Chunk(times, times)

    def profile(self, key, model, discard, count):
        if key == "profile-overhead":
            return Profile(
                tuple(f"add{i}" for i in range(NODES)), np.full((count, NODES), float(PROFILED_US))
            )
        rows = np.tile(self.factor * np.array(list(self.nodes.values()), dtype=float), (count, 1))
        return Profile(tuple(self.nodes), rows)

    def close(self):
        return


class MadeUpDevice(Device):
    name, machine, protocol, batch = "made-up", "made-up", STANDARD, 1

    def __init__(self, nodes, factors=(1, 1)):
        self.nodes, self.factors, self.started = nodes, factors, 0

    def describe(self):
        return CARD

    def runtime(self):
        return RUNTIME

    def start(self, keep_open=()):
        self.started += 1
        return MadeUp(self.nodes, self.factors[self.started - 1])


def network():
    b = Builder()
    x = b.relu(b.conv(b.input(4, 8, 8), 4))
    x = b.max_pool(b.relu(b.conv(x, 4)), kernel=3)
    return b.build(b.average_pool(x, kernel=3))


def profiled(device, protocol=PROTOCOL, progress=None):
    made = network()
    subject = Subject(made.key, "network", "made up", partial(bytes, 1))
    return profile_kernels([(subject, made)], device, protocol, progress, 0)


def entries(device, protocol=PROTOCOL):
    record = profiled(device, protocol)
    return {entry.name.split(" ")[0]: entry for entry in record.entries}


def test_the_overhead_is_what_a_profiled_node_takes_beyond_its_share_of_a_run():
    assert overhead_us(MadeUp({}, 1), PROTOCOL) == pytest.approx(PROFILED_US + 0.1 - PLAIN_US, abs=0.02)


def test_kernels_are_means_over_their_places_less_the_overhead():
    found = entries(MadeUpDevice({"relu": 30, "relu_1_nchwc": 40, "max_pool": 12, "average_pool": 7}))
    overhead = PROFILED_US + 0.1 - PLAIN_US
    assert found["Conv-Relu"].p10_us == pytest.approx(35.1 - overhead, abs=0.03)
    assert found["MaxPool"].p10_us == pytest.approx(12.1 - overhead, abs=0.03)
    assert found["Conv-Relu"].n == 400 and found["MaxPool"].n == 200
    assert found["Conv-Relu"].flags == () and found["Conv-Relu"].pass_ratio == 1
    assert found["Conv-Relu"].mean_us == pytest.approx(35.5 - overhead, abs=0.03)


def test_kernels_that_are_not_seen_have_the_smallest_time():
    found = entries(MadeUpDevice({"relu": 30, "relu_1_nchwc": 40, "max_pool": 1}))
    assert found["MaxPool"].p10_us == SMALLEST_US and found["MaxPool"].reason == ""
    assert found["AveragePool"].p10_us == found["AveragePool"].p90_us == SMALLEST_US
    assert found["AveragePool"].reason == "the runtime executes nothing of its own for it"


def test_passes_that_disagree_are_marked():
    nodes = {"relu": 300, "relu_1_nchwc": 300, "max_pool": 20, "average_pool": 7}
    found = entries(MadeUpDevice(nodes, factors=(1.03, 1)))
    assert found["Conv-Relu"].flags == ("unstable",)
    assert found["Conv-Relu"].pass_ratio == pytest.approx(1.03, abs=0.001)
    assert found["MaxPool"].flags == (), "0.6 µs are below the clock's step"


def test_a_device_without_a_profile_says_so():
    class Silent(MadeUp):
        profile = Runner.profile

    with pytest.raises(ModelFailedError, match="no profile of its nodes"):
        Silent({}, 1).profile("key", b"", 1, 1)


class LostError(RunnerDiedError):
    retries = 2


class Losing(MadeUpDevice):
    """Loses its first few runners with the sentinels, after a network was profiled."""

    def __init__(self, losses):
        super().__init__({"relu": 30, "relu_1_nchwc": 40, "max_pool": 12, "average_pool": 7}, (1,) * 9)
        self.losses = losses

    def start(self, keep_open=()):
        runner = super().start(keep_open)
        if self.started <= self.losses:
            runner.run = self.lost
        return runner

    def lost(self, key, discard, count):
        if key.startswith("sentinel"):
            raise LostError("the connection broke", None)
        return Chunk(np.full(count, 24.0), np.full(count, 24.0))


def test_a_pass_whose_runner_is_lost_is_done_again_and_counts_once():
    device, progress = Losing(2), []
    record = profiled(device, progress=progress.append)
    assert device.started == 2 + PROTOCOL.passes
    assert {entry.n for entry in record.entries} == {200, 400}
    assert sum("broke; trying the group again" in p.message for p in progress) == 2
    assert max(p.done for p in progress) < progress[0].total
    with pytest.raises(LostError):
        profiled(Losing(3))
