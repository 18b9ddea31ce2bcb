import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.fidelity import at_fidelity
from hwnas.search.records import Trial
from hwnas.search.spending import Spending, full_trainings

THIRD = at_fidelity("accuracy", 1 / 3)


def trial(architecture, asked="accuracy", status="complete", lost=False):
    metrics = {asked: 0.5} if status == "complete" else {}
    return Trial(0, architecture, status, metrics, asked=asked, lost=lost)


def spent(*trials):
    return full_trainings(trials, "accuracy")


def test_a_network_costs_once():
    assert spent(trial("a"), trial("a"), trial("b")) == 2


def test_a_part_of_the_training_costs_that_part_and_more_is_trained_anew():
    assert spent(trial("a", THIRD), trial("a", THIRD)) == pytest.approx(1 / 3, abs=1e-5)
    assert spent(trial("a", THIRD), trial("a")) == pytest.approx(4 / 3, abs=1e-5)


def test_a_training_that_gave_nothing_costs_and_what_was_not_begun_does_not():
    assert spent(trial("a", status="failed", lost=True)) == 1
    assert spent(trial("a", status="failed")) == 0
    assert spent(trial("a", status="infeasible")) == 0


def test_there_is_room_for_what_does_not_overrun():
    spending = Spending("accuracy")
    spending.add(trial("a", THIRD))
    assert spending.has_room(2 / 3, 1) and not spending.has_room(1, 1)


def test_a_score_by_another_metric_is_free_and_not_idle():
    spending = Spending("accuracy")
    spending.add(trial("a", status="infeasible"))
    spending.add(trial("a", "naswot"))
    assert (spending.idle, spending.trainings) == (1, 0)
    spending.add(trial("a"))
    assert (spending.idle, spending.trainings) == (0, 1)


def test_parts_add_up():
    third = Spending("accuracy")
    for name in "abc":
        third.add(trial(name, THIRD))
    assert third.reaches(1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["accuracy", THIRD, "naswot"]))))
def test_the_order_does_not_matter(asked):
    trials = [trial(*one) for one in asked]
    assert spent(*trials) == pytest.approx(spent(*reversed(trials)))
    assert spent(*trials, *trials) == pytest.approx(spent(*trials))
