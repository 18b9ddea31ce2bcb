"""What every search space has: sampling, mutation, encoding and size all follow from its decisions."""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture, Choice
from hwnas.spaces.supernetwork import Supernetwork, no_supernetwork

MAX_TRIES = 100_000
MAX_SMALL = 20_000
_OUTER_COMMA = re.compile(r",(?![^(\[{]*[)\]}])")  # tuples among the choices keep theirs
MAX_ENUMERATED = 10_000_000


class SearchSpace(ABC):
    """A set of architectures: categorical decisions and, where not all combinations count, a predicate.

    A space of one's own gives `decisions` and `network`, and `is_valid` where it needs one; it must be
    defined in a module (not in a function) for worker processes to find it. Where some decisions can be
    without effect it gives `effective`, so that each network has one architecture.

    Attributes:
        name: what the command line calls it.
        decisions: the choices of each decision, in order.
        named: published networks by name: the settings of their space, and their text.
    """

    name: str
    decisions: Mapping[str, Sequence[Choice]]
    named: ClassVar[Mapping[str, tuple[Mapping[str, Any], str]]] = {}

    @abstractmethod
    def network(self, architecture: Architecture) -> Network:
        """The network that `architecture` describes."""

    def supernetwork(self) -> Supernetwork:
        """All networks of the space in one.

        Raises:
            ValueError: it has no such form; names the decisions that prevent it. So has a space that does
                not say how.
        """
        raise no_supernetwork(
            self,
            [name for name, choices in self.decisions.items() if len(choices) > 1],
            "are not described as alternatives of single blocks (a method `supernetwork` would do so)",
        )

    @classmethod
    def published(cls) -> dict[str, Architecture]:
        """Published networks by name, each of a space with the settings that it was published in."""
        return {name: cls(**settings).parse(text) for name, (settings, text) in cls.named.items()}

    def is_valid(self, architecture: Architecture) -> bool:
        """Whether this combination of choices belongs to the space; by default, whether it is `effective`."""
        return self.effective(architecture.encoding) == architecture.encoding

    def effective(self, encoding: tuple[int, ...]) -> tuple[int, ...]:
        """`encoding` with the first choice for each decision that has no effect beside the others.

        By default all have an effect.
        """
        return encoding

    def identity(self) -> Hashable:
        """What tells two spaces of one class apart: their settings."""
        return tuple((name, tuple(choices)) for name, choices in self.decisions.items())

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self.identity() == other.identity())

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.identity()))

    def __getstate__(self) -> dict[str, object]:
        """Without the hash: those of texts differ between processes."""
        return {name: value for name, value in vars(self).items() if name != "_hash"}

    @cached_property
    def choices(self) -> tuple[tuple[Choice, ...], ...]:
        """The choices of each decision, in the decisions' order.

        Raises:
            ValueError: a decision has none, or two that look alike.
        """
        for name, choices in self.decisions.items():
            if not choices or len({str(choice) for choice in choices}) < len(choices):
                raise ValueError(
                    f"decision {name} of space {self.name} needs distinct choices, not {choices!r}"
                )
        return tuple(tuple(choices) for choices in self.decisions.values())

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {name: position for position, name in enumerate(self.decisions)}

    def position(self, decision: str) -> int:
        """Index of a decision; raises ValueError naming those that exist."""
        try:
            return self._positions[decision]
        except KeyError:
            known = ", ".join(self.decisions)
            raise ValueError(f"space {self.name} has no decision {decision!r}; it has {known}") from None

    def architecture(self, **values: Choice) -> Architecture:
        """The architecture with the given choice for every decision.

        Raises:
            ValueError: a decision is unknown or missing, a choice is not one of its choices, or the
                combination is not valid.

        Choices that have no effect are replaced by the first ones (see `effective`).
        """
        encoding = [-1] * len(self.choices)
        for decision, value in values.items():
            position = self.position(decision)
            if value not in self.choices[position]:
                allowed = ", ".join(map(str, self.choices[position]))
                raise ValueError(f"{decision}={value} is not in space {self.name}; choose from {allowed}")
            encoding[position] = self.choices[position].index(value)
        missing = [name for name, index in zip(self.decisions, encoding, strict=True) if index < 0]
        if missing:
            raise ValueError(f"space {self.name} needs a choice for {', '.join(missing)}")
        return self._checked(tuple(encoding))

    def from_encoding(self, encoding: Sequence[int]) -> Architecture:
        """The architecture whose decisions take the choices of these indices; raises ValueError if none."""
        fits = len(encoding) == len(self.choices) and all(
            0 <= index < len(choices) for index, choices in zip(encoding, self.choices, strict=False)
        )
        if not fits:
            sizes = [len(choices) for choices in self.choices]
            raise ValueError(
                f"{list(encoding)} is no architecture of space {self.name}: choices per decision {sizes}"
            )
        return self._checked(tuple(int(index) for index in encoding))

    def _checked(self, encoding: tuple[int, ...]) -> Architecture:
        architecture = Architecture(self, self.effective(encoding))
        if not self.is_valid(architecture):
            raise ValueError(f"{dict(architecture)} is not a valid architecture of space {self.name}")
        return architecture

    def check(self, architecture: Architecture) -> None:
        """Raise ValueError unless `architecture` is a valid one of this space."""
        if architecture.space != self:
            raise ValueError(
                f"architecture {architecture} belongs to space {architecture.space}, not to {self}"
            )

    # --- text

    def format(self, architecture: Architecture) -> str:
        """Text that `parse` reads back: by default `decision=choice` in order, separated by commas."""
        return ",".join(f"{decision}={architecture[decision]}" for decision in self.decisions)

    def parse(self, text: str) -> Architecture:
        """The architecture that `format` wrote.

        Raises:
            ValueError: the text is malformed, or names no valid architecture of this space.
        """
        values: dict[str, Choice] = {}
        for part in _OUTER_COMMA.split(text):
            decision, equals, written = part.partition("=")
            if not equals:
                raise ValueError(f"{part!r} is not of the form decision=choice, in architecture {text!r}")
            if decision.strip() in values:
                raise ValueError(f"decision {decision.strip()!r} is given twice in architecture {text!r}")
            choices = self.choices[self.position(decision.strip())]
            by_text = {str(choice): choice for choice in choices}
            if written.strip() not in by_text:
                raise ValueError(
                    f"{part.strip()} is not in space {self.name}; choose from {', '.join(by_text)}"
                )
            values[decision.strip()] = by_text[written.strip()]
        return self.architecture(**values)

    # --- points

    def random(self, generator: np.random.Generator) -> Architecture:
        """One valid architecture, each with the same probability.

        Where decisions can be without effect, each combination of choices has the same probability before
        those are set to their first choice.

        Raises:
            ValueError: no valid one in `MAX_TRIES` draws.
        """
        sizes = [len(choices) for choices in self.choices]
        for _ in range(MAX_TRIES):
            drawn = Architecture(self, self.effective(tuple(generator.integers(sizes).tolist())))
            if self.is_valid(drawn):
                return drawn
        raise ValueError(f"no valid architecture among {MAX_TRIES} draws from space {self.name}")

    def suggest(self, trial: Any) -> Architecture:
        """The architecture that an Optuna trial suggests, one categorical parameter for each decision.

        Choices are suggested as `plain_choices` gives them. Choices without effect
        are replaced (see `effective`), which the trial's parameters do not show.

        Raises:
            optuna.TrialPruned: the combination is not valid. Optuna then goes on with the next trial.
        """
        encoding = [
            offered.index(trial.suggest_categorical(decision, offered))
            for decision, offered in self.plain_choices.items()
        ]
        drawn = Architecture(self, self.effective(tuple(encoding)))
        if not self.is_valid(drawn):
            from optuna import TrialPruned

            raise TrialPruned(f"{dict(drawn)} is not a valid architecture of space {self.name}")
        return drawn

    @cached_property
    def plain_choices(self) -> Mapping[str, list[Any]]:
        """The choices of each decision as other programs can store them: those that are tuples as text."""
        return {
            name: [one if isinstance(one, str | int | float | None) else str(one) for one in choices]
            for name, choices in zip(self.decisions, self.choices, strict=True)
        }

    def sample(self, n: int, *, seed: int | np.random.Generator) -> list[Architecture]:
        """`n` different architectures, uniformly drawn; raises ValueError if the space has fewer."""
        generator = np.random.default_rng(seed)
        if self._is_enumerable and n > self.size // 2:
            everything = list(self)
            if n > len(everything):
                raise ValueError(f"{n} architectures asked of space {self.name}, which has {len(everything)}")
            return [everything[i] for i in generator.permutation(len(everything))[:n]]
        found: dict[Architecture, None] = {}
        for _ in range(MAX_TRIES + 10 * n):
            found.setdefault(self.random(generator))
            if len(found) >= n:
                return list(found)
        raise ValueError(
            f"{n} architectures asked of space {self.name}; {len(found)} found in {MAX_TRIES} draws"
        )

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """All valid architectures that differ in one decision, and in those that lose their effect by it."""
        self.check(architecture)
        for position, choices in enumerate(self.choices):
            for index in range(len(choices)):
                if index != architecture.encoding[position]:
                    changed = self._replaced(architecture, position, index)
                    if changed != architecture and self.is_valid(changed):
                        yield changed

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """A valid neighbour: a random decision takes a random other choice.

        Raises:
            ValueError: there is no neighbour.
        """
        self.check(architecture)
        mutable = [i for i, choices in enumerate(self.choices) if len(choices) > 1]
        for _ in range(min(MAX_TRIES, 50 * (len(mutable) + 1)) if mutable else 0):
            position = mutable[int(generator.integers(len(mutable)))]
            index = int(generator.integers(len(self.choices[position]) - 1))
            index += index >= architecture.encoding[position]
            changed = self._replaced(architecture, position, index)
            if changed != architecture and self.is_valid(changed):
                return changed
        found = list(self.neighbours(architecture))
        if not found:
            raise ValueError(f"architecture {architecture} has no valid neighbour in space {self.name}")
        return found[int(generator.integers(len(found)))]

    def redraw(
        self, architecture: Architecture, probability: float, generator: np.random.Generator
    ) -> Architecture:
        """A valid architecture whose decisions are each drawn anew with this probability, or else itself.

        At least one decision is drawn.
        """
        self.check(architecture)
        sizes = [len(choices) for choices in self.choices]
        for _ in range(100):
            drawn = generator.integers(sizes)
            changes = generator.random(len(sizes)) < probability
            changes[generator.integers(len(sizes))] = True
            encoding = np.where(changes, drawn, architecture.encoding).tolist()
            changed = Architecture(self, self.effective(tuple(encoding)))
            if self.is_valid(changed):
                return changed
        return architecture

    def crossover(
        self, mother: Architecture, father: Architecture, generator: np.random.Generator
    ) -> Architecture:
        """A valid child that takes each decision from one of its parents at random, or else the mother."""
        self.check(mother)
        self.check(father)
        for _ in range(100):
            from_father = generator.random(len(self.choices)) < 0.5
            pairs = zip(mother.encoding, father.encoding, from_father, strict=True)
            child = Architecture(self, self.effective(tuple(f if take else m for m, f, take in pairs)))
            if self.is_valid(child):
                return child
        return mother

    def _replaced(self, architecture: Architecture, position: int, index: int) -> Architecture:
        encoding = architecture.encoding
        return Architecture(self, self.effective((*encoding[:position], index, *encoding[position + 1 :])))

    # --- numbers

    def one_hot(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.float64]:
        """`[n, total number of choices]`: a one for each choice taken."""
        sizes = [len(choices) for choices in self.choices]
        offsets = np.cumsum([0, *sizes[:-1]])
        encoded = np.zeros((len(architectures), sum(sizes)))
        indices = self.integers(architectures) + offsets
        np.put_along_axis(encoded, indices, 1.0, axis=1)
        return encoded

    def integers(self, architectures: Sequence[Architecture]) -> npt.NDArray[np.int64]:
        """`[n, decisions]`: the index of each choice taken."""
        return np.array([a.encoding for a in architectures], dtype=np.int64).reshape(-1, len(self.choices))

    @cached_property
    def size(self) -> int:
        """Exact number of valid architectures.

        Raises:
            ValueError: the space has a predicate and is too large to be enumerated.
        """
        kind = type(self)
        if kind.is_valid is SearchSpace.is_valid and kind.effective is SearchSpace.effective:
            return self._combinations
        return sum(1 for _ in self)

    @property
    def _combinations(self) -> int:
        return math.prod(len(choices) for choices in self.choices)

    @property
    def is_small(self) -> bool:
        """Whether going through all of it takes seconds."""
        return self._combinations <= MAX_SMALL

    @property
    def _is_enumerable(self) -> bool:
        return self._combinations <= MAX_ENUMERATED

    def __iter__(self) -> Iterator[Architecture]:
        """All valid architectures; raises ValueError where there are too many combinations."""
        if not self._is_enumerable:
            raise ValueError(
                f"space {self.name} has {self._combinations:.3g} combinations, too many to enumerate "
                f"(at most {MAX_ENUMERATED:.0g})"
            )
        for encoding in itertools.product(*(range(len(choices)) for choices in self.choices)):
            architecture = Architecture(self, encoding)
            if self.is_valid(architecture):
                yield architecture

    def unique(self) -> Iterator[Architecture]:
        """One architecture for each network, where a space tells which are the same; by default, all."""
        return iter(self)

    def settings(self) -> Mapping[str, object]:
        """The keyword arguments that make this space again; none by default."""
        return {}

    def __str__(self) -> str:
        """The text that `hwnas.spaces.space` makes an equal space of."""
        from hwnas.spaces.registry import spec

        return spec(self)
