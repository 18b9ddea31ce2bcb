from dataclasses import replace

from hwnas.report.headline import headline
from hwnas.report.intervals import interval_text, within_text
from hwnas.report.sections import verification
from hwnas.search.records import Candidate, Interval

from .runs import record

INTERVALS = {"latency_ms": Interval(0.9, 3.1, 3.9, 3.75)}
INSIDE = Candidate("a", {"latency_ms": 3.4}, {"latency_ms": 3.5}, True, intervals=INTERVALS)
ABOVE = replace(INSIDE, measured={"latency_ms": 4.2})
BELOW = replace(INSIDE, measured={"latency_ms": 2.0})
RESCALED = replace(INSIDE, flag="rescaled", as_measured_ms=4.375)


def test_words():
    assert interval_text(INSIDE, "latency_ms") == "90 %: 3.1 to 3.9, below 3.75"
    assert [within_text(c, "latency_ms") for c in (INSIDE, ABOVE, BELOW)] == ["yes", "above", "below"]
    bare = replace(INSIDE, intervals={})
    assert interval_text(bare, "latency_ms") == within_text(bare, "latency_ms") == "–"


def test_the_table_has_intervals_where_there_are_any():
    page = verification(record(5, candidates=[INSIDE, ABOVE], winner=0))
    assert "90 %: 3.1 to 3.9, below 3.75" in page.replace("\u00a0", " ") and "in interval" in page
    assert "1 of 2 measured latencies lie in their 90 % interval" in page.replace("\u00a0", " ")
    assert "before rescaling" not in page
    assert "in interval" not in verification(record(5))


def test_rescaled_latencies_show_what_was_measured():
    page = verification(record(5, candidates=[RESCALED], winner=0)).replace("\u00a0", " ")
    assert "before rescaling" in page and "4.38 ms" in page and "25.0% slower" in page


def test_the_headline_states_the_bound_of_a_prediction():
    unmeasured = replace(INSIDE, measured={})
    said = headline(record(5, candidates=[unmeasured], winner=0, bounds={"latency_ms": 5}, environment={}))
    assert "predicted to run in 3.4 ms (with 90 % probability below 3.75 ms), not measured" in said
