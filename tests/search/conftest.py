from types import SimpleNamespace

import pytest

from hwnas.network.from_onnx import from_onnx
from hwnas.search import verify
from tests.search.calibrated import SENTINELS, ms_of


@pytest.fixture
def machine(monkeypatch):
    """A device on which every network takes `slower` times its prediction, as its sentinels do.

    The next `disturbed` measurements make the sentinels contradict each other. `networks` and `files` hold
    what was measured together.
    """
    state = SimpleNamespace(slower=1.0, sentinels=1.0, disturbed=0, networks=[], files=[])

    def sentinels():
        times = {name: time * state.sentinels for name, time in SENTINELS.items()}
        if state.disturbed > 0:
            state.disturbed -= 1
            times["dense"] *= 0.8
        return times

    def networks(items, on):
        beside = sentinels()
        state.networks.append([str(item) for item in items])
        return [{"latency_ms": ms_of(item.network) * state.slower, "sentinels": beside} for item in items]

    def file(path, on):
        state.files.append(path)
        return {"latency_ms": ms_of(from_onnx(path)) * state.slower, "sentinels": sentinels()}

    monkeypatch.setattr(verify, "measure_networks", networks)
    monkeypatch.setattr(verify, "measure_file", file)
    monkeypatch.setattr(verify, "block_shares", lambda network, on: [])
    return state
