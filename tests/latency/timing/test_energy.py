"""Meters on real files, and the window of runs beside a meter, in a time of our own."""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hwnas.latency import ModelFailedError, device
from hwnas.latency.devices.local_cpu import LocalCpu
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.timing.energy import NoMeterError, joules_per_run, open_meter
from hwnas.latency.timing.nvml import NvmlMeter
from hwnas.latency.timing.powercap import PowercapMeter

from ..helpers import FAST
from .powercap_tree import Counting, zone


def powercap(root):
    return open_meter({"kind": "powercap", "root": str(root)})


def test_packages_are_added_and_nothing_is_counted_twice(tmp_path):
    first = zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 7_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 1)
    zone(tmp_path, "intel-rapl:2", "psys", 1)
    meter = powercap(tmp_path)
    before = meter.read()
    assert before == (5_000_000, 7_000_000) and meter.description == "powercap, 2 package domains"
    (first / "energy_uj").write_text("6500000\n")
    (second / "energy_uj").write_text("7250000\n")
    assert meter.joules(before, meter.read()) == 1.75


@given(turn=st.integers(1_000, 2**40), start=st.integers(0, 2**40), spent=st.integers(0, 2**40))
def test_a_counter_that_turns_loses_nothing(turn, start, spent):
    assume(start < turn and spent < turn)
    with tempfile.TemporaryDirectory() as folder:
        counter = zone(Path(folder), "intel-rapl:0", "package-0", start, turn) / "energy_uj"
        meter = PowercapMeter(folder)
        before = meter.read()
        counter.write_text(f"{(start + spent) % turn}\n")
        assert meter.joules(before, meter.read()) == pytest.approx(spent / 1e6)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda root: None, "no .*/intel-rapl"),
        (lambda root: zone(root, "intel-rapl:0", "psys"), "no package domain among"),
        (
            lambda root: zone(root, "intel-rapl:0", "package-0", "many"),
            "energy_uj holds 'many', not a number",
        ),
        (lambda root: zone(root, "intel-rapl:0", "package-0", ""), "energy_uj holds '', not a number"),
        (lambda root: (zone(root, "intel-rapl:0", "package-0") / "energy_uj").unlink(), "energy_uj"),
    ],
)
def test_without_a_counter_there_is_a_reason(tmp_path, make, reason):
    make(tmp_path)
    with pytest.raises(NoMeterError, match=reason):
        powercap(tmp_path)


def test_a_counter_that_only_root_may_read():
    with tempfile.TemporaryDirectory(dir="/tmp") as root:
        Path(root).chmod(0o755)
        (zone(Path(root), "intel-rapl:0", "package-0") / "energy_uj").chmod(0o400)
        assert "may not be read by this user (root may)" in as_another_user(lambda: reason_of(root))


def reason_of(root):
    try:
        return powercap(root).description
    except NoMeterError as reason:
        return str(reason)


def as_another_user(function):
    """What a function says in a child process without root's rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            os.write(writer, function().encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        return said.read()


class World:
    """A time of its own in which runs take ``seconds`` at ``watts`` and a counter is updated now and then."""

    description = "the world's counter"

    def __init__(self, seconds, watts, period):
        self.seconds, self.watts, self.period, self.time, self.runs = seconds, watts, period, 0.0, 0

    def now(self):
        return self.time

    def call(self):
        self.time += self.seconds
        self.runs += 1

    def wait(self):
        pass

    def read(self):
        return (int(1e6 * self.watts * self.period * (self.time // self.period)),)

    def joules(self, before, after):
        return (after[0] - before[0]) / 1e6


@given(seconds=st.floats(1e-4, 0.05), watts=st.floats(1, 500), period=st.sampled_from([0.001, 0.02, 0.1]))
def test_the_energy_of_a_run_is_power_times_time(seconds, watts, period):
    world = World(seconds, watts, period)
    found = joules_per_run(world, world.call, world, 1.0, world.now)
    slack = 0.02 + seconds  # a burst of runs, in a window of a second
    assert found == pytest.approx(watts * seconds, rel=slack)
    assert 1.0 <= world.time < 1.5 + 4 * (period + seconds)


def test_a_counter_that_stands_still_is_no_energy():
    world = World(0.01, 0, 0.001)
    with pytest.raises(ValueError, match="the world's counter: the counter did not move in 5 s"):
        joules_per_run(world, world.call, world, 1.0, world.now)


class FakeNvmlError(Exception):
    pass


def nvml(**changes):
    def refuse(*_):
        raise FakeNvmlError("Not Supported")

    functions = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
        "nvmlDeviceGetName": lambda gpu: b"Card",
        "nvmlDeviceGetTotalEnergyConsumption": lambda gpu: 1234,
        **dict.fromkeys(changes, refuse),
    }
    return SimpleNamespace(NVMLError=FakeNvmlError, **functions)


def test_nvml_counts_millijoules(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    meter = NvmlMeter("GPU-1")
    assert meter.description == "NVML total energy of Card" and meter.read() == (1234,)
    assert meter.joules((1000,), (3500,)) == 2.5


@pytest.mark.parametrize(
    "function", ["nvmlInit", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetTotalEnergyConsumption"]
)
def test_what_nvml_refuses_is_a_reason(monkeypatch, function):
    monkeypatch.setitem(sys.modules, "pynvml", nvml(**{function: None}))
    with pytest.raises(NoMeterError, match="NVML gives no energy of GPU-1: Not Supported"):
        open_meter({"kind": "nvml", "uuid": "GPU-1"})


def test_nvml_that_is_not_installed_is_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(NoMeterError, match=r"nvidia-ml-py is not installed \(hwnas\[cuda\]\)"):
        open_meter({"kind": "nvml", "uuid": "GPU-1"})


def test_a_real_worker_reads_its_meter(tmp_path, monkeypatch):
    folder = zone(tmp_path, "intel-rapl:0", "package-0", turn=2_000_000)
    monkeypatch.setattr(LocalCpu, "powercap", tmp_path)
    with Counting(folder, watts=30, turn=2_000_000), device("ort-cpu", protocol=FAST).start() as runner:
        assert runner.meter().readable and runner.meter().description == "powercap, 1 package domain"
        runner.load("m", sentinels()["sentinel-dense"], warm_up=1)
        assert 0 < runner.energy_mj("m", 0.05) < 30_000


def test_a_real_worker_without_a_meter_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(LocalCpu, "powercap", tmp_path / "powercap")
    with device("ort-cpu", protocol=FAST).start() as runner:
        assert not runner.meter().readable
        assert runner.meter().description == f"no {tmp_path}/powercap/intel-rapl*"
        runner.load("m", sentinels()["sentinel-dense"], warm_up=1)
        with pytest.raises(ModelFailedError, match=r"no .*intel-rapl"):
            runner.energy_mj("m", 0.05)
