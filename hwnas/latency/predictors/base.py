"""What a predictor is, and the predictors by kind: a dict, a decorator, an error on collision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays, read_arrays, write_arrays
from hwnas.network.network import Network

Floats = NDArray[np.float64]
ARRAYS_FILE = "arrays.npz"


class UnseenLayersWarning(UserWarning):
    """A network has layers of a class that no fitted network had: its latency is extrapolated."""


class Prediction(NamedTuple):
    """Latencies of networks and how uncertain they are.

    Attributes:
        latency_ms: `[n]`, in milliseconds, positive.
        relative_std: `[n]`, positive: how uncertain each is relative to itself, up to one common factor.
            The factor, and with it the width of intervals, comes from networks held out
            (`hwnas.latency.predictors.calibration`). Ones where a predictor cannot tell predictions apart.
    """

    latency_ms: Floats
    relative_std: Floats


class Predictor(ABC):
    """Estimates the latency of networks after having been fitted on measured ones.

    A predictor is plain arrays, so it can be pickled to worker processes and is saved without pickles.

    Attributes:
        kind: what `hwnas.latency.fit` and saved folders call it.
        fewest: the fewest networks that `fit` accepts.
        freedom: None, or `Prediction.relative_std` is a standard deviation itself and errors in its units are
            Student's t with so many degrees of freedom.
    """

    kind: ClassVar[str]
    fewest: ClassVar[int]
    freedom: ClassVar[float | None] = None

    @abstractmethod
    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """Fit on measured networks; `latency_ms` is `[n]`.

        Raises:
            ValueError: too few networks, another number of latencies, or one that is not positive.
        """

    @abstractmethod
    def predict(self, networks: Sequence[Network]) -> Floats:
        """Latencies in milliseconds, `[n]`, all positive.

        Raises:
            RuntimeError: the predictor is not fitted.
        """

    def prediction(self, networks: Sequence[Network]) -> Prediction:
        """What `predict` says, and how uncertain it is; raises as that does.

        Equally uncertain everywhere unless a kind of predictor knows better.
        """
        latency_ms = self.predict(networks)
        return Prediction(latency_ms, np.ones_like(latency_ms))

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What was fitted, as plain arrays."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Arrays) -> Predictor:
        """The predictor that `arrays` describes; raises ValueError naming file and field."""

    def save(self, folder: str | Path) -> None:
        """Write `arrays.npz` into `folder`, which is made if need be."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_arrays(Path(folder) / ARRAYS_FILE, self.arrays())

    @classmethod
    def load(cls, folder: str | Path) -> Predictor:
        """Read what `save` wrote; raises ValueError naming file and field."""
        return cls.from_arrays(read_arrays(Path(folder) / ARRAYS_FILE))


_PREDICTORS: dict[str, type[Predictor]] = {}
Kind = TypeVar("Kind", bound=type[Predictor])


def register(kind: Kind) -> Kind:
    """Class decorator: make a predictor known by its `kind`; raises ValueError if the name is taken."""
    if kind.kind in _PREDICTORS:
        raise ValueError(f"a predictor of kind {kind.kind!r} exists already")
    _PREDICTORS[kind.kind] = kind
    return kind


def kinds() -> tuple[str, ...]:
    """The known kinds of predictors."""
    return tuple(sorted(_PREDICTORS))


def predictor_class(kind: str) -> type[Predictor]:
    """The class of a kind; raises ValueError naming the known ones."""
    if kind not in _PREDICTORS:
        raise ValueError(f"no predictor of kind {kind!r}; known: {', '.join(kinds())}")
    return _PREDICTORS[kind]


def check_latencies(
    latency_ms: Floats, names: Callable[[int], str], *, n: int, fewest: int, kind: str
) -> Floats:
    """`latency_ms` as float64 `[n]`.

    Raises:
        ValueError: another number than `n`, fewer than `fewest`, or one that is not finite and positive;
            the message names the entry by `names(index)`.
    """
    checked = np.asarray(latency_ms, dtype=np.float64)
    if checked.shape != (n,):
        raise ValueError(f"latencies of shape {checked.shape} for {n} networks")
    if n < fewest:
        raise ValueError(f"a {kind} predictor needs at least {fewest} measured networks, not {n}")
    for index in np.flatnonzero(~(np.isfinite(checked) & (checked > 0)))[:1]:
        raise ValueError(
            f"the latency of {names(int(index))} is {checked[index]} ms; it must be positive and finite"
        )
    return checked
