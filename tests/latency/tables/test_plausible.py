from dataclasses import replace

import pytest

from hwnas.latency.tables.entry import failed_entry
from hwnas.latency.tables.plausible import findings

from ..helpers import IDENTITY, SENTINELS, entry, table

FLOPS = 20_000_000
NETWORK = "0123456789abcdef"


def errors(*entries, **changes):
    return [finding.message for finding in findings(table(*entries, **changes)) if finding.is_error]


def warnings(*entries):
    return [finding.message for finding in findings(table(*entries)) if not finding.is_error]


def good(factor=1.0):
    block = entry("aaaaaaaa", p10=200.0 * factor, flops=FLOPS)
    whole = entry(NETWORK, "network", p10=700.0 * factor, flops=4 * FLOPS, blocks=(("aaaaaaaa", 4),))
    return block, whole


def test_a_table_of_microseconds_is_plausible():
    assert findings(table(*good())) == []


@pytest.mark.parametrize(
    ("factor", "says"), [(1e-3, "milliseconds"), (1e-6, "no device reaches"), (1e3, "nanoseconds")]
)
def test_entries_in_another_unit(factor, says):
    assert says in " ".join(errors(*good(factor)))


def test_sentinels_in_another_unit():
    told = errors(*good(), sentinels={name: time / 1e6 for name, time in SENTINELS.items()})
    assert len(told) == 1 and "both must be microseconds" in told[0]


def test_an_accelerator_may_be_faster_than_a_thread():
    gpu = replace(IDENTITY, device=replace(IDENTITY.device, kind="gpu"))
    assert errors(entry(p10=1.0, flops=10**9)) and not errors(entry(p10=1.0, flops=10**9), identity=gpu)


def test_a_latency_that_is_far_too_long():
    assert "slower than any" in " ".join(errors(entry(p10=1e8, flops=2_000_000)))


def test_one_column_in_seconds():
    block = entry(p10=200.0, flops=FLOPS)
    assert "different units" in errors(replace(block, cpu_p10_us=block.p10_us / 1e6))[0]
    assert "different units" in errors(replace(block, cpu_p10_us=block.p10_us * 1e3))[0]
    assert "below min_us" in errors(replace(block, mean_us=block.mean_us / 1e6))[0]
    assert "millijoules" in errors(replace(block, energy_mj=1e9))[0]


def test_networks_that_are_not_of_the_blocks_device():
    block, whole = good()
    assert (
        "parts of a network sum to"
        in errors(block, entry(NETWORK, "network", p10=70.0, blocks=whole.blocks))[0]
    )


def test_unstable_and_short_measurements_are_warned_of():
    assert (
        "2 of 2 entries are unstable"
        in warnings(entry("aaaaaaaa", flags=("unstable",)), entry("bbbbbbbb", flags=("drifted",)))[0]
    )
    assert "fewer than 20 samples" in warnings(entry(n=3))[0]


def test_failures_are_an_error_only_where_nothing_else_is_there():
    failed = failed_entry("cccccccc", "block", "c", "no such operator")
    assert "no such operator" in warnings(failed, entry())[0] and "no such operator" in errors(failed)[0]
