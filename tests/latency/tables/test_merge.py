from dataclasses import replace

import pytest

from hwnas.latency import DeviceMismatchError, merge
from hwnas.latency.tables.drift import reference, to_reference
from hwnas.latency.tables.entry import failed_entry

from ..helpers import IDENTITY, SENTINELS, entry, table

A, B = "aaaaaaaa", "bbbbbbbb"


def scaled(factor):
    return {name: time * factor for name, time in SENTINELS.items()}


def test_union_with_parents():
    a, b = table(entry(A)), table(entry(B))
    merged = merge(a, b)
    assert {e.key for e in merged} == {A, B} and merged.meta.parents == (a.table_id, b.table_id)
    assert merged[B].flags == () and merged.meta.sentinels == a.meta.sentinels


@pytest.mark.parametrize("part", ["device", "runtime", "protocol"])
def test_another_device_runtime_or_protocol_is_refused_and_named(part):
    change = {"device": {"model": "B"}, "runtime": {"version": "9"}, "protocol": {"chunk": 7}}[part]
    other = replace(IDENTITY, **{part: replace(getattr(IDENTITY, part), **change)})
    with pytest.raises(DeviceMismatchError, match=rf"{part}\.{next(iter(change))}"):
        merge(table(entry(A)), table(entry(B), identity=other))


def test_a_slower_clock_is_rescaled_and_marked():
    merged = merge(table(entry(A)), table(entry(B, p10=110.0), sentinels=scaled(1.1)))
    assert merged[B].p10_us == pytest.approx(100.0, abs=1e-3) and merged[B].flags == ("rescaled",)


def test_below_one_percent_nothing_is_touched():
    merged = merge(table(entry(A)), table(entry(B), sentinels=scaled(1.009)))
    assert merged[B] == entry(B)


def test_contradicting_sentinels_are_marked_not_rescaled():
    odd = {**SENTINELS, "sentinel-depthwise": 1.3 * SENTINELS["sentinel-depthwise"]}
    merged = merge(
        table(entry(A)), table(entry(B), failed_entry("cccccccc", "block", "c", "no"), sentinels=odd)
    )
    assert merged[B].p10_us == 100.0 and merged[B].flags == ("drifted",)
    assert merged["cccccccc"].flags == ("failed",)


def test_other_sentinels_are_refused():
    with pytest.raises(ValueError, match="sentinels differ"):
        merge(table(entry(A)), table(entry(B), sentinels={"other": 1.0}))


STABLE, WORSE = entry(A, p10=100.0, pass_ratio=1.001), entry(A, p10=101.0, pass_ratio=0.991)
UNSTABLE = entry(A, p10=102.0, pass_ratio=1.0, flags=("unstable",))
FAILED = failed_entry(A, "block", "a", "no")


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (STABLE, WORSE, STABLE),
        (UNSTABLE, WORSE, WORSE),
        (FAILED, UNSTABLE, UNSTABLE),
        (FAILED, FAILED, FAILED),
    ],
)
def test_of_two_entries_the_more_stable_is_kept(one, other, kept):
    assert merge(table(one), table(other))[A] == kept
    assert merge(table(other), table(one))[A] == kept


def test_reference_is_the_median_and_survives_one_disturbed_group():
    groups = [scaled(1.0), scaled(1.3), scaled(1.0)]
    assert reference(groups) == SENTINELS
    assert to_reference([entry(A)], groups[0], reference(groups)) == [entry(A)]
