from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.tables.diff import diff
from hwnas.latency.tables.entry import failed_entry

from ..helpers import IDENTITY, SENTINELS, entry, table

KEYS = [f"{i:08x}" for i in range(20)]


def test_equal_tables():
    found = diff(table(entry()), table(entry()))
    assert found.same and found.identity == () and found.ratios.within_1 == 1 and found.ratios.median == 1


@given(st.floats(0.1, 10).filter(lambda factor: abs(abs(factor - 1) - 0.01) > 1e-6))
def test_a_scaled_table_has_one_ratio(factor):
    first = table(*(entry(key, p10=100.0 + i) for i, key in enumerate(KEYS)))
    second = table(
        *(entry(key, p10=factor * (100.0 + i)) for i, key in enumerate(KEYS)),
        sentinels={name: factor * time for name, time in SENTINELS.items()},
    )
    ratios = diff(first, second).ratios
    assert ratios.n == 20 and ratios.median == pytest.approx(factor) == pytest.approx(ratios.p90)
    assert ratios.within_1 == (abs(factor - 1) < 0.01)
    assert all(ratio == pytest.approx(factor, abs=1e-4) for ratio in diff(first, second).sentinels.values())


def test_entries_of_one_table_and_failed_ones_have_no_ratio():
    first = table(entry(KEYS[0]), entry(KEYS[1]), entry(KEYS[2], p10=100.0))
    second = table(failed_entry(KEYS[1], "block", "b", "no"), entry(KEYS[2], p10=103.0), entry(KEYS[3]))
    found = diff(first, second)
    assert (found.common, found.first_only, found.second_only) == (2, 1, 1)
    assert found.ratios.n == 1 and found.ratios.within_1 == 0
    assert diff(table(entry(KEYS[0])), table(entry(KEYS[1]))).ratios is None


def test_other_devices_are_compared_and_named():
    other = replace(IDENTITY, device=replace(IDENTITY.device, threads=2))
    assert diff(table(entry()), table(entry(), identity=other)).identity == ("device.threads: 1, not 2",)
