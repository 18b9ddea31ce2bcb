"""Passes, retries and blame, with a runner whose times and deaths are chosen."""

from collections import Counter

import numpy as np
import pytest

from hwnas.latency import Protocol
from hwnas.latency.devices.device import Device, ModelFailedError, Runner, RunnerDiedError
from hwnas.latency.measuring.campaign import Group
from hwnas.latency.measuring.sentinels import NAMES
from hwnas.latency.timing.samples import Chunk

from ..helpers import CARD, RUNTIME

PROTOCOL = Protocol(rounds=2, chunk=5, discard=0, warm_up=1, max_extra=3)


class Chosen(Device):
    """A device whose models take the times ``time_of(key, number of the pass)`` gives, or raise."""

    name, protocol, machine = "chosen", PROTOCOL, "none"

    def __init__(self, time_of):
        self.time_of, self.starts, self.orders = time_of, 0, []

    def describe(self):
        return CARD

    def runtime(self):
        return RUNTIME

    def start(self, keep_open=()):
        self.starts += 1
        self.orders.append([])
        return ChosenRunner(self, self.starts)


class ChosenRunner(Runner):
    def __init__(self, device, number):
        self.device, self.number = device, number

    def load(self, key, model, warm_up):
        return 1

    def run(self, key, discard, count):
        self.device.orders[-1].append(key)
        value = self.device.time_of(key, self.number)
        if isinstance(value, Exception):
            raise value
        return Chunk(np.full(count, value), np.full(count, value))

    def close(self):
        pass


def run(device, keys="ab", reference=None, seed=0, lines=None):
    notify = lines.append if lines is not None else (lambda line: None)
    models = dict.fromkeys(keys, b"x")
    return Group(
        device,
        models,
        PROTOCOL,
        sentinels=dict.fromkeys(NAMES, b"x"),
        seed=(seed,),
        notify=notify,
        reference=reference,
        before=device.reading(),
    ).measure()


def test_two_passes_in_fresh_workers_when_they_agree():
    device = Chosen(lambda key, number: 100.0)
    result = run(device)
    assert device.starts == 2
    assert result.measured["a"].n == 2 * 2 * 5 and result.measured["a"].p10_us == 100.0
    assert result.unstable == frozenset() and result.sentinels.keys() == set(NAMES)


def test_every_round_holds_every_model_and_both_sentinels_in_seeded_order():
    def orders(seed):
        device = Chosen(lambda key, number: 100.0)
        run(device, "abcdef", seed=seed)
        return device.orders

    first = orders(0)
    for order in first:
        for half in (order[:8], order[8:]):
            assert Counter(half) == Counter([*"abcdef", *NAMES])
    assert first == orders(0) != orders(1)


def test_only_the_disagreeing_model_is_repeated_until_it_agrees():
    device = Chosen(lambda key, number: 150.0 if key == "b" and number == 1 else 100.0)
    result = run(device)
    assert device.starts == 3
    assert set(device.orders[2]) == {"b", *NAMES}
    assert result.measured["a"].n == 20 and result.measured["b"].n == 30
    assert result.measured["b"].p10_us == 100.0 and result.unstable == frozenset()


def test_a_model_that_never_agrees_is_unstable_after_the_extra_passes():
    device = Chosen(lambda key, number: 100.0 * 1.3**number if key == "b" else 100.0)
    result = run(device)
    assert device.starts == PROTOCOL.passes + PROTOCOL.max_extra
    assert result.unstable == {"b"} and result.failures == {}


def test_differences_below_the_resolution_agree():
    device = Chosen(lambda key, number: 3.0 + 0.05 * number)
    assert run(device).unstable == frozenset() and device.starts == 2


def test_sentinels_that_contradict_each_other_repeat_the_whole_group():
    device = Chosen(lambda key, number: 100.0)
    reference = dict(zip(NAMES, (100.0, 90.0), strict=True))
    run(device, reference=reference)
    assert device.starts == PROTOCOL.passes + PROTOCOL.max_extra
    device = Chosen(lambda key, number: 100.0)
    run(device, reference=dict.fromkeys(NAMES, 90.0))
    assert device.starts == PROTOCOL.passes


def test_a_model_that_fails_is_left_out_and_the_others_go_on():
    device = Chosen(lambda key, number: ModelFailedError("no kernel") if key == "a" else 100.0)
    result = run(device)
    assert result.failures == {"a": "no kernel"} and result.measured.keys() == {"b"}


def test_a_dead_worker_is_tried_once_more():
    lines = []
    device = Chosen(
        lambda key, number: RunnerDiedError("killed", "a") if number == 1 and key == "a" else 100.0
    )
    result = run(device, lines=lines)
    assert result.failures == {} and result.measured["a"].n == 20
    assert any("killed" in line and "again" in line for line in lines)


def test_the_model_that_kills_the_worker_twice_is_a_failure():
    device = Chosen(lambda key, number: RunnerDiedError("killed by a", "a") if key == "a" else 100.0)
    result = run(device)
    assert result.failures == {"a": "killed by a"} and result.measured["b"].n == 20


class LostError(RunnerDiedError):
    retries = 3


def test_a_death_is_tried_again_as_often_as_its_kind_allows_and_blames_no_model():
    lost = LostError("lost", None)
    device = Chosen(lambda key, number: lost if number <= 3 else 100.0)
    result = run(device)
    assert device.starts == 3 + PROTOCOL.passes and result.failures == {}
    with pytest.raises(LostError):
        run(Chosen(lambda key, number: lost if number <= 4 else 100.0))


@pytest.mark.parametrize(
    ("key", "error"), [(NAMES[0], RunnerDiedError("dead", NAMES[0])), (NAMES[1], ModelFailedError("refused"))]
)
def test_a_sentinel_that_does_not_run_ends_the_measurement(key, error):
    device = Chosen(lambda k, number: error if k == key else 100.0)
    with pytest.raises(type(error)):
        run(device)
