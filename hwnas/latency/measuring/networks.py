"""From networks to the models that are measured: whole networks and their distinct blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from hwnas.latency.measuring.subject import Subject
from hwnas.latency.printable import printable
from hwnas.latency.tables.entry import is_label

if TYPE_CHECKING:
    from hwnas.network import Network


class HasNetwork(Protocol):
    """Anything with a network: an architecture of a search space. Its ``str`` names it in the table."""

    @property
    def network(self) -> Network:
        """The network that is measured."""


Measurable: TypeAlias = "Network | HasNetwork"


def network_of(item: Measurable) -> Network:
    """The network of an architecture, or `item` itself."""
    network: Network = getattr(item, "network", item)  # type: ignore[arg-type]
    return network


def subjects_of(
    items: Sequence[Measurable],
    names: Sequence[str] | None,
    blocks: bool | Iterable[tuple[str, Network]],
    *,
    batch: int = 1,
) -> list[Subject]:
    """Whole networks, then blocks, each once, with models of `batch` samples.

    The other arguments are those of `hwnas.latency.measure`.

    Raises:
        ValueError: no networks, another number of names than networks, or an unprintable name.
    """
    if not items:
        raise ValueError("no networks to measure")
    names = [str(item) for item in items] if names is None else names
    if len(names) != len(items):
        raise ValueError(f"{len(names)} names for {len(items)} networks")
    whole: dict[str, Subject] = {}
    parts: dict[str, tuple[str, Network]] = {}
    for item, name in zip(items, names, strict=True):
        if not is_label(name):
            raise ValueError(f"the name {name[:60]!r} is too long or has unprintable characters")
        network = network_of(item)
        inside = list(network.blocks())
        if network.key not in whole:
            whole[network.key] = _subject(network, "network", name, batch, Counter(b.key for _, b in inside))
        for path, block in inside if blocks is not False else ():
            parts.setdefault(block.key, (path, block))
    for path, block in () if isinstance(blocks, bool) else blocks:
        parts.setdefault(block.key, (path, block))
    alone = [_subject(block, "block", printable(path), batch) for path, block in parts.values()]
    return [*whole.values(), *(subject for subject in alone if subject.key not in whole)]


def _subject(
    network: Network, kind: str, name: str, batch: int, blocks: Counter[str] | None = None
) -> Subject:
    from hwnas.cost import count

    counts = count(network).whole
    inside = tuple((blocks or {}).items())
    model = partial(_onnx, network, batch)
    return Subject(network.key, kind, name, model, inside, counts.flops, counts.params)


def _onnx(network: Network, batch: int) -> bytes:
    from hwnas.network.to_onnx import to_onnx

    return bytes(to_onnx(network, batch=batch).SerializeToString(deterministic=True))
