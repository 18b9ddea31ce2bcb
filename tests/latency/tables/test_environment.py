from dataclasses import replace

from hwnas.latency.tables.environment import combined

from ..helpers import ENVIRONMENT

METERED = replace(ENVIRONMENT, energy="powercap, 1 package domain", onnx_version="1.18")


def test_a_meter_is_not_hidden_by_a_later_part_without_one():
    both = combined([METERED, ENVIRONMENT])
    assert both.energy == "powercap, 1 package domain; none" and both.onnx_version == "1.18; 1.17"


def test_texts_that_all_parts_share_stand_once():
    assert combined([METERED] * 3).energy == METERED.energy
    both = combined([METERED, ENVIRONMENT])
    assert combined([both, METERED, both]) == both


def test_extremes_and_means():
    later = replace(METERED, utc_start="2026-01-02", utc_end="2026-01-03", load_max=0.9, clock_mhz=None)
    found = combined([ENVIRONMENT, later])
    assert (found.utc_start, found.utc_end) == (ENVIRONMENT.utc_start, "2026-01-03")
    assert (found.load_min, found.load_max, found.clock_mhz) == (0.1, 0.9, 3000.0)
