"""What the Gaussian process sees of a network: groups of columns, each the input of a kernel of its own.

Costs add up over layers, so the kernels are linear in sums over layers and differ in what they expect. A
device that waits for launches pays per layer (`counts`), one that computes pays per operation and byte
(`sums`), most lie between (`square_roots`); a similar device's latencies say how these mix (`references`),
and what is left is a cost of each block of its own (`blocks`). One smooth kernel over all physical columns
takes what does not add up.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Predictor, UnseenLayersWarning, predictor_class
from hwnas.latency.predictors.grams import Columns
from hwnas.latency.transfer.block_counts import BlockCounts, root_mean_square
from hwnas.latency.transfer.physical import COLUMNS, GROUPS, physical, scales
from hwnas.network.network import Network

Floats = NDArray[np.float64]

RANGES = {
    "references": (1e-4, 0.1),
    **dict.fromkeys(GROUPS, (1e-4, 0.1)),
    "blocks": (1e-5, 3e-3),
    "smooth": (1e-5, 3e-2),
}
"""Least and largest prior variance of each kernel's function, where the latencies are of order 1."""


@dataclass(frozen=True)
class Inputs:
    """Encoded networks: columns of mean 0 and, group by group, mean squared length 1 over the population.

    Attributes:
        references: `[N, references]`.
        physical: `[N, COLUMNS]`.
        blocks: `[N, distinct blocks]`.
    """

    references: Floats
    physical: Floats
    blocks: Floats

    @property
    def columns(self) -> Columns:
        """Those of each kernel, in the order of `RANGES`."""
        references = [self.references] if self.references.shape[1] else []
        groups = [self.physical[:, group] for group in GROUPS.values()]
        return Columns((*references, *groups, self.blocks), (self.physical / np.sqrt(len(GROUPS)),))


@dataclass(frozen=True)
class Encoder:
    """From networks to `Inputs`, scaled by a population of networks.

    Attributes:
        references: predictors of other devices.
        reference_ms: `[references]`: their mean over the population.
        reference_scale: root mean square length of their relative deviations from it.
        centre: `[COLUMNS]`: means of the physical columns.
        scale: `[COLUMNS]`: what they are multiplied by; 0 for one that does not vary.
        blocks: the population's distinct blocks.
    """

    references: tuple[Predictor, ...]
    reference_ms: Floats
    reference_scale: float
    centre: Floats
    scale: Floats
    blocks: BlockCounts

    @classmethod
    def of(cls, population: Sequence[Network], references: Sequence[Predictor] = ()) -> Encoder:
        """The encoder scaled by `population`, which the networks to be predicted should be like.

        Raises:
            ValueError: a reference is of kind `transfer`; and what the references' predictors raise.
        """
        _check_kinds([reference.kind for reference in references])
        columns = physical(population)
        found = _predictions(references, population)
        reference_ms = found.mean(axis=0)
        return cls(
            references=tuple(references),
            reference_ms=reference_ms,
            reference_scale=root_mean_square(found / reference_ms - 1),
            centre=columns.mean(axis=0),
            scale=scales(columns),
            blocks=BlockCounts.of(population),
        )

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """`RANGES` of the kernels that there are, in their order."""
        return [RANGES[name] for name in RANGES if name != "references" or self.references]

    def __call__(self, networks: Sequence[Network]) -> Inputs:
        """Encode networks; raises what the references' predictors raise."""
        relative = _predictions(self.references, networks) / self.reference_ms - 1
        return Inputs(
            references=relative / self.reference_scale,
            physical=(physical(networks) - self.centre) * self.scale,
            blocks=self.blocks(networks),
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The fields as arrays; those of reference i have names that begin with `reference<i>.`."""
        found: dict[str, NDArray[np.generic]] = {
            "reference_kinds": np.array([reference.kind for reference in self.references], dtype="U64"),
            "reference_ms": self.reference_ms,
            "reference_scale": np.array([self.reference_scale]),
            "centre": self.centre,
            "scale": self.scale,
            **self.blocks.arrays(),
        }
        for i, reference in enumerate(self.references):
            found.update({f"reference{i}.{name}": value for name, value in reference.arrays().items()})
        return found

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Encoder:
        """What `arrays` describes; raises ValueError naming the field."""
        kinds = arrays.texts("reference_kinds", None)
        try:
            _check_kinds(kinds)
        except ValueError as error:
            raise ValueError(f"{arrays.where}: field 'reference_kinds': {error}") from None
        reference_ms = arrays.floats("reference_ms", len(kinds))
        arrays.require(bool((reference_ms > 0).all()), "reference_ms", "positive")
        scale = float(arrays.floats("reference_scale", 1)[0])
        arrays.require(scale > 0, "reference_scale", "positive")
        references = [
            predictor_class(kind).from_arrays(arrays.within(f"reference{i}.")) for i, kind in enumerate(kinds)
        ]
        return cls(
            tuple(references),
            reference_ms,
            scale,
            arrays.floats("centre", COLUMNS),
            arrays.floats("scale", COLUMNS),
            BlockCounts.from_arrays(arrays),
        )


def _predictions(references: Sequence[Predictor], networks: Sequence[Network]) -> Floats:
    # [n, references], in milliseconds
    if not references:
        return np.zeros((len(networks), 0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenLayersWarning)
        return np.stack([one.predict(networks) for one in references], axis=1)


def _check_kinds(kinds: Sequence[str]) -> None:
    """A reference with references of its own would nest without end."""
    if "transfer" in kinds:
        raise ValueError(
            "a predictor of kind 'transfer' cannot be a reference: fit another kind, such as gp, on the "
            "reference device's own measurements"
        )
