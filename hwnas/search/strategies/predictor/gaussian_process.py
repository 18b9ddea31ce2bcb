"""A Gaussian process over choices and scores, exact and without iterations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from hwnas.search.strategies.predictor.features import Candidates, Floats

LENGTHS = (0.3, 1.0, 3.0)
WEIGHTS = (0.0, 0.3, 1.0)
NOISES = (1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class Kernel:
    """k(a, b) = exp(−(share of choices that differ + weight · distance of the scores) / length).

    Both distances are squared Euclidean, scaled to a mean of 1 over random pairs of architectures.

    Attributes:
        length: how far values are alike.
        weight: of the scores against the choices.
        noise: variance of the values beside what the kernel explains.
    """

    length: float
    weight: float
    noise: float

    def inputs(self, candidates: Candidates) -> Floats:
        """`[n, choices + proxies]`, in which the exponent is the squared distance."""
        choices, scores = candidates.choices, candidates.scores
        spread = np.sqrt(_mean_distance(choices.shape[1], int(choices[0].sum())))
        scores = scores * np.sqrt(self.weight / max(1, 2 * scores.shape[1]))
        return np.asarray(np.hstack([choices / spread, scores]) / np.sqrt(self.length))

    def between(self, a: Floats, b: Floats) -> Floats:
        """`[n, d], [m, d] -> [n, m]`."""
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        return np.asarray(np.exp(-np.maximum(squares, 0)))


def fitted(known: Candidates, targets: Floats) -> Kernel:
    """The kernel of a fixed grid with the greatest marginal likelihood, the scale of the values free."""
    weights = WEIGHTS if known.scores.shape[1] else WEIGHTS[:1]
    kernels = [Kernel(*values) for values in product(LENGTHS, weights, NOISES)]
    likelihoods = [_log_likelihood(kernel, known, targets) for kernel in kernels]
    return kernels[int(np.argmax(likelihoods))]


class Posterior:
    """What a process knows of fixed candidates; more proposals can join, whose values need not be known.

    A proposal without a value is taken to have the mean that those before it predict (a believer), so that
    those under way lower the uncertainty around them and leave the means as they are.

    Args:
        kernel: of the process.
        known: the proposals so far, in order.
        candidates: what is predicted.
        room: how many proposals can join.
    """

    def __init__(self, kernel: Kernel, known: Candidates, candidates: Candidates, room: int) -> None:
        from scipy.linalg import solve_triangular

        self.kernel = kernel
        self._candidates = kernel.inputs(candidates)
        x = kernel.inputs(known)
        n, size = len(x), len(x) + room
        self.count, self.size = n, size
        self._x = np.zeros((size, x.shape[1]))
        self._factor = np.zeros((size, size))
        self._explained = np.zeros((size, len(self._candidates)))
        self._x[:n] = x
        gram = kernel.between(x, x) + kernel.noise * np.eye(n)
        self._factor[:n, :n] = np.linalg.cholesky(gram)
        across = kernel.between(x, self._candidates)
        self._explained[:n] = solve_triangular(self._factor[:n, :n], across, lower=True)
        self._variance = 1 - (self._explained[:n] ** 2).sum(axis=0)

    def join(self, proposal: Candidates) -> None:
        """One more proposal."""
        from scipy.linalg import solve_triangular

        n = self.count
        x = self.kernel.inputs(proposal)
        row = solve_triangular(self._factor[:n, :n], self.kernel.between(self._x[:n], x)[:, 0], lower=True)
        rest = math.sqrt(max(1 + self.kernel.noise - float(row @ row), 1e-9))
        self._x[n], self._factor[n, :n], self._factor[n, n] = x[0], row, rest
        across = self.kernel.between(x, self._candidates)[0]
        self._explained[n] = (across - row @ self._explained[:n]) / rest
        self._variance -= self._explained[n] ** 2
        self.count += 1

    def predict(self, numbers: list[int], targets: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations of all candidates, `[n]`, given the values of some proposals."""
        values = dict(zip(numbers, targets, strict=True))
        whitened = np.zeros(self.count)
        for i in values:
            whitened[i] = (values[i] - self._factor[i, :i] @ whitened[:i]) / self._factor[i, i]
        scale = max(float(whitened @ whitened) / max(1, len(values)), 1e-12)
        mean = whitened @ self._explained[: self.count]
        return mean, np.sqrt(np.maximum(self._variance, 1e-12) * scale)


def _mean_distance(width: int, decisions: int) -> float:
    """Mean squared distance of two random one-hot encodings, were all decisions of one size."""
    return 2.0 * decisions * max(1 - decisions / width, 1e-9)


def _log_likelihood(kernel: Kernel, known: Candidates, targets: Floats) -> float:
    """Up to a constant, with the best scale of the values."""
    from scipy.linalg import solve_triangular

    x = kernel.inputs(known)
    n = len(x)
    factor = np.linalg.cholesky(kernel.between(x, x) + kernel.noise * np.eye(n))
    whitened = solve_triangular(factor, targets, lower=True)
    scale = max(float(whitened @ whitened) / n, 1e-12)
    return float(-0.5 * n * np.log(scale) - np.log(np.diag(factor)).sum())
