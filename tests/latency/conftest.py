"""A machine lock of its own for each test, and a device with a protocol of few rounds."""

import tempfile

import pytest

from hwnas.latency import device
from hwnas.latency.devices.ort_cpu import OrtCpu

from .helpers import FAST


@pytest.fixture(autouse=True)
def own_lock(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path_factory.mktemp("lock"))
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)


@pytest.fixture
def cpu() -> OrtCpu:
    made = device("ort-cpu", protocol=FAST)
    assert isinstance(made, OrtCpu)
    return made
