"""What is said of a search by pruning, in words and as tables of texts."""

from __future__ import annotations

from itertools import pairwise

from hwnas.differentiable.pruning.record import PruningRecord, Round, removed
from hwnas.report.differentiable_text import cost, number
from hwnas.report.text import label
from hwnas.search.records import Candidate

VALUES = (
    "Of the small supernetwork with what remains after each round, the mean over initialisations; 0 is what "
    "the search began with. The search keeps what most worsens these values when it goes."
)
REMOVED = (
    "By group the choices that went in each round. Choices that stand for zeros alone, such as none, are "
    "left out from the beginning."
)


def headline(record: PruningRecord, verified: Candidate | None) -> str:
    """The answer in a sentence, or how far the search is."""
    rounds = rounds_of(record)
    if not record.architecture:
        last = record.rounds[-1].remaining
        return f"After {rounds} {choices_left(record.rounds[-1])} choices of {len(last)} groups remain."
    known = {} if verified is None else verified.predicted
    costs = " and ".join(f"{cost(name, value)} {label(name)}" for name, value in known.items())
    return f"In {rounds} tenas pruned the space to an architecture{f' of {costs}' if costs else ''}."


def rounds_of(record: PruningRecord) -> str:
    """`1 round`, `3 rounds`."""
    done = len(record.rounds) - 1
    return f"{done} round{'' if done == 1 else 's'}"


def choices_left(one: Round) -> int:
    """In all groups together."""
    return sum(map(len, one.remaining.values()))


def heads(record: PruningRecord) -> list[str]:
    """Of the columns of `row`."""
    return ["round", "choices left", *(label(name) for name in record.rounds[0].values), "seconds"]


def row(record: PruningRecord, one: Round) -> list[str]:
    """A round; a dash for what is undefined or infinite."""
    values = [number(one.values[name]) for name in record.rounds[0].values]
    return [str(one.number), str(choices_left(one)), *values, f"{one.seconds:.1f}"]


def removals(record: PruningRecord) -> dict[str, list[str]]:
    """By group what went in each round after the beginning, and what remains in the end."""
    steps = [removed(*pair) for pair in pairwise(record.rounds)]
    left = record.rounds[-1].remaining
    return {
        group: [
            _named(labels, choices) for choices in (*(step.get(group, ()) for step in steps), left[group])
        ]
        for group, labels in record.groups.items()
    }


def _named(labels: tuple[str, ...], choices: tuple[int, ...]) -> str:
    return ", ".join(labels[choice] for choice in choices)
