"""Energies and prepared models in a group, with a runner whose readings are chosen; and by real workers."""

import hashlib

import numpy as np
import pytest

from hwnas.latency import ModelFailedError, RunnerDiedError, device, measure, measure_onnx
from hwnas.latency.devices.device import Device, MeterCard, Runner
from hwnas.latency.devices.local_cpu import LocalCpu
from hwnas.latency.measuring import energy
from hwnas.latency.measuring.campaign import Group
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.timing.samples import Chunk
from hwnas.network.to_onnx import to_onnx

from ..helpers import CARD, FAST, RUNTIME, small_network
from ..timing.powercap_tree import Counting, zone

METER = MeterCard(True, "a meter of ours")


class Metered(Device):
    """A device whose energies are what ``energy_of(key)`` gives, or raises; it adds a letter to each model."""

    name, protocol, machine = "metered", FAST, "none"

    def __init__(self, energy_of, meter=METER):
        self.energy_of, self.card, self.loaded = energy_of, meter, {}

    def describe(self):
        return CARD

    def runtime(self):
        return RUNTIME

    def prepare(self, model):
        if model == b"bad":
            raise ModelFailedError("cannot be prepared")
        return model + b"!"

    def start(self, keep_open=()):
        return MeteredRunner(self)


class MeteredRunner(Runner):
    def __init__(self, device):
        self.device = device

    def load(self, key, model, warm_up):
        self.device.loaded[key] = model
        return 1

    def run(self, key, discard, count):
        return Chunk(np.full(count, 10.0), np.full(count, 10.0))

    def meter(self):
        return self.device.card

    def energy_mj(self, key, seconds):
        assert seconds >= 1
        value = self.device.energy_of(key)
        if isinstance(value, Exception):
            raise value
        return value

    def close(self):
        pass


def run(on, models, lines=None):
    return Group(
        on,
        models,
        FAST,
        sentinels=sentinels(),
        seed=(0,),
        notify=lines.append if lines is not None else lambda line: None,
        before=on.reading(),
    ).measure()


def test_each_model_has_its_energy_and_the_meter_is_named():
    result = run(Metered({"a": 1.5, "b": 2.5}.get), {"a": b"A", "b": b"B"})
    assert result.energy_mj == {"a": 1.5, "b": 2.5}
    assert result.environment.energy == "a meter of ours"


def test_without_a_meter_nothing_is_run_for_it_and_the_reason_is_kept():
    def never(key):
        raise AssertionError("no meter")

    result = run(Metered(never, MeterCard(False, "no counter here")), {"a": b"A"})
    assert result.energy_mj == {} and result.environment.energy == "no counter here"


def test_an_energy_that_cannot_be_read_loses_no_latency():
    lines = []
    readings = {"a": ModelFailedError("stands still"), "b": 2.5, "c": RunnerDiedError("gone", "c"), "d": 1.0}
    result = run(Metered(readings.get), dict.fromkeys("abcd", b"x"), lines)
    assert result.energy_mj == {"b": 2.5} and result.measured.keys() == set("abcd")
    assert any("no energy: stands still" in line for line in lines)
    assert any("no further energies: gone" in line for line in lines)


def test_prepared_models_run_and_their_hash_is_kept():
    on = Metered(lambda key: 1.0)
    result = run(on, {"a": b"A", "b": b"bad"})
    assert on.loaded["a"] == b"A!" and "b" not in on.loaded
    assert result.sha256 == {"a": hashlib.sha256(b"A!").hexdigest()}
    assert result.failures == {"b": "cannot be prepared"}
    assert [on.loaded[name] for name in sentinels()] == list(sentinels().values())


@pytest.fixture
def counting(tmp_path, monkeypatch):
    folder = zone(tmp_path, "intel-rapl:0", "package-0")
    monkeypatch.setattr(LocalCpu, "powercap", tmp_path)
    monkeypatch.setattr(energy, "SECONDS", 0.05)
    with Counting(folder, watts=30, turn=10**12):
        yield


def test_tables_hold_energies(counting, tmp_path_factory):
    net, folder = small_network(), tmp_path_factory.mktemp("table")
    on = device("ort-cpu", protocol=FAST)
    table = measure([net], on, blocks=False, folder=folder)
    assert table[net.key].energy_mj > 0
    assert table.meta.environment.energy == "powercap, 1 package domain"
    assert measure([net], on, blocks=False, folder=folder) == table
    assert measure_onnx(to_onnx(net).SerializeToString(), on).energy_mj > 0
