"""Samples by the host's clocks, and by events of a device that works on its own."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.timing.clocks import EventClock, HostClock


class Stream:
    """A device of its own: work is put into it at once and takes the milliseconds it is given."""

    def __init__(self):
        self.end_ms, self.waits = 0.0, 0

    def work(self, milliseconds):
        self.end_ms += milliseconds

    def wait(self):
        self.waits += 1

    def event(self):
        return Mark(self)


class Mark:
    def __init__(self, stream):
        self.stream = stream

    def record(self):
        self.at = self.stream.end_ms

    def elapsed_time(self, later):
        return later.at - self.at


@given(count=st.integers(1, 20), together=st.integers(1, 5), took=st.floats(0.001, 50))
def test_events_time_the_stream_and_not_the_host(count, together, took):
    stream = Stream()
    samples = EventClock(stream.event, stream.wait).samples(lambda: stream.work(took), count, together)
    assert samples.shape == (2, count)
    np.testing.assert_allclose(samples[0], 1e6 * took * together, rtol=1e-6)
    assert np.all(samples[1] == samples[1, 0]) and samples[1, 0] > 0
    assert stream.waits == 2


@given(count=st.integers(1, 5), together=st.integers(1, 5))
def test_every_sample_is_of_as_many_runs(count, together):
    calls = []
    samples = HostClock(1).samples(lambda: calls.append(1), count, together)
    assert len(calls) == count * together and samples.shape == (2, count) and np.all(samples[0] > 0)


def test_waiting_is_wall_time_and_no_cpu_time():
    wall, cpu = HostClock(1).samples(lambda: time.sleep(0.005), 3, 2)
    assert np.all(wall >= 2 * 5e6) and np.all(cpu < wall / 2)


def test_the_tick_is_a_positive_time():
    assert HostClock(1).tick_ns > 0
