"""What every predictor-guided strategy can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST = 2
MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class GuidedSettings:
    """Settings that all predictor-guided strategies share.

    Attributes:
        initial: proposals before the surrogate chooses.
        proxies: names of metrics that are features of the surrogate, the run's own or others; or one name.
        scored: random architectures that expensive proxies score first.
        relatives: architectures that they score later for each choice.

    Raises:
        ValueError: numbers out of range, or proxies given twice.
    """

    initial: int
    proxies: Sequence[str] | str
    scored: int
    relatives: int

    def __post_init__(self) -> None:
        _check_number("initial", self.initial, LEAST)
        _check_number("scored", self.scored, LEAST)
        _check_number("relatives", self.relatives, 1)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"proxies must be different metrics, not {self.names}")

    @property
    def names(self) -> list[str]:
        """The names of the proxies, also where it is one."""
        return [self.proxies] if isinstance(self.proxies, str) else list(self.proxies)

    def record(self) -> Mapping[str, Any]:
        """As they are recorded with a run."""
        return {**vars(self), "proxies": self.names}


def _check_number(name: str, number: int, least: int) -> None:
    if not least <= number <= MOST:
        raise ValueError(f"{name} must be from {least} to {MOST:,}, not {number}")
