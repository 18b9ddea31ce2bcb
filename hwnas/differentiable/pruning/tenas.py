"""TE-NAS' two measures of what a supernetwork loses with a choice, and any other proxy as such a measure.

    measures = [batch_measure(supernetwork, "ntk_cond", data, batch=72), regions_measure(supernetwork, data)]
    *_, last = rounds(supernetwork, measures)
    architecture = remaining_architecture(supernetwork, last)

Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically Inspired Perspective"
(TE-NAS), ICLR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn

from hwnas.differentiable.pruning.reduced import Remaining, Removal, reduced_network, without
from hwnas.differentiable.pruning.rounds import Measure, pruned, without_edges
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.network.network import Network
from hwnas.network.thin import smallest_thin, thin
from hwnas.network.to_torch import to_torch
from hwnas.proxies.he_weights import Fan, he_normal
from hwnas.proxies.isolation import isolated
from hwnas.proxies.registry import get
from hwnas.proxies.score import score
from hwnas.spaces.darts_supernetwork import GROUPS, DARTSSupernetwork
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training import DataSet

REPEATS = 3
DECIMALS = 3
REGION_IMAGES = 3000
KEPT_EDGES = 2
"""Into each node of a cell of DARTS."""
WORST = 1e6
"""The harm of a removal after which a proxy is undefined or infinite."""

Batch = Callable[[Network, int], tuple[Tensor, Tensor | None]]
"""From the network that is scored and a seed to images (B, ...) and labels (B,), or None for no labels."""


def rounds(
    supernetwork: Supernetwork,
    measures: Sequence[Measure],
    *,
    number: int = 1,
    remaining: Remaining | None = None,
) -> Iterator[dict[str, tuple[int, ...]]]:
    """What remains after each round of pruning, and on cells of DARTS of the edges into each node.

    Args:
        supernetwork: what is pruned, without the choices that give zeros.
        measures: whose ranks add up.
        number: of choices that a group loses in a round, see `pruned`.
        remaining: after an earlier round, to go on from; None to begin.
    """
    left = dict(remaining or all_but_zeros(supernetwork))
    if max(map(len, left.values())) > 1:
        for after in pruned(left, measures, number=number):
            left = after
            yield left
    for edges in _edges_into_nodes(supernetwork):
        open_edges = [edge for edge in edges if left[edge]]
        if len(open_edges) > KEPT_EDGES:
            left = without_edges(left, open_edges, measures, keep=KEPT_EDGES)
            yield left


def _edges_into_nodes(supernetwork: Supernetwork) -> list[list[str]]:
    """The groups of the edges into each node, where the space keeps two of them."""
    if not isinstance(supernetwork, DARTSSupernetwork):
        return []
    edges: dict[tuple[str, int], list[str]] = {}
    for (kind, _, node), group in GROUPS.items():
        edges.setdefault((kind, node), []).append(group)
    return list(edges.values())


@dataclass(frozen=True, eq=False)
class ProxyMeasure:
    """How much worse a proxy gets, relatively, when a choice goes and all weights stay.

    The mean over initialisations, each rounded to three decimals as in TE-NAS' release, so that removals that
    change nothing tie. What is undefined or infinite, or has no parameters, is worse than anything else.

    Args:
        supernetwork: of which choices remain.
        proxy: a name, see `hwnas.proxies.names()`.
        batch: what it is scored on.
        fan: of He's normal weights.
        part: of the reduced network what is scored.
        repeats: the number of initialisations.
        seed: that draws them; other seeds share none.
    """

    supernetwork: Supernetwork
    proxy: str
    batch: Batch
    fan: Fan
    part: Callable[[Network], Network] = lambda network: network
    repeats: int = REPEATS
    seed: int = 0
    _known: dict[tuple[tuple[str, tuple[int, ...]], ...], list[float]] = field(
        default_factory=dict, init=False, repr=False
    )

    def check(self, remaining: Remaining) -> None:
        """Raise ValueError, with the proxy's name, where what remains has no part that it could score."""
        try:
            self._part_of(remaining)
        except ValueError as error:
            raise ValueError(f"{self.proxy} cannot score {self.supernetwork.space.name}: {error}") from error

    def __call__(self, remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        """The harm of each removal; raises ValueError as `hwnas.proxies.score`."""
        whole = self._part_of(remaining)
        reduced = {removal: self._part_of(without(remaining, removal)) for removal in removals}
        harms = dict.fromkeys(removals, 0.0)
        for seed, before in zip(self._seeds, self._values(remaining), strict=True):
            images, labels = self.batch(whole, seed)
            module = _initialised(whole, self.fan, seed, images.device)
            for removal, network in reduced.items():
                after = self._value(_with_weights_of(module, network, images.device), network, images, labels)
                harms[removal] += round(self._harm(before, after), DECIMALS) / self.repeats
        return harms

    def value(self, remaining: Remaining) -> float:
        """The proxy of what remains, the mean over initialisations; not finite where one of them is not.

        Raises:
            ValueError: as `hwnas.proxies.score`.
        """
        return sum(self._values(remaining)) / self.repeats

    @property
    def _seeds(self) -> range:
        return range(self.seed * self.repeats, (self.seed + 1) * self.repeats)

    def _part_of(self, remaining: Remaining) -> Network:
        return self.part(reduced_network(self.supernetwork, remaining))

    def _values(self, remaining: Remaining) -> list[float]:
        """The proxy of what remains, by initialisation; each is computed once."""
        key = tuple(sorted(remaining.items()))
        if key not in self._known:
            whole = self._part_of(remaining)
            self._known[key] = [self._first_value(whole, seed) for seed in self._seeds]
        return self._known[key]

    def _first_value(self, network: Network, seed: int) -> float:
        images, labels = self.batch(network, seed)
        return self._value(_initialised(network, self.fan, seed, images.device), network, images, labels)

    def _value(self, module: nn.Module, network: Network, images: Tensor, labels: Tensor | None) -> float:
        if not network.parameters:
            return math.nan
        found = score(module, images, labels, [self.proxy], network=network, seed=self.seed)
        return found[self.proxy].value

    def _harm(self, before: float, after: float) -> float:
        if not (math.isfinite(before) and math.isfinite(after)):
            return WORST * (math.isfinite(before) - math.isfinite(after))
        change = _relative_change(before, after)
        return -change if get(self.proxy).higher_is_better else change


def _relative_change(before: float, after: float) -> float:
    if before == 0:
        return 0.0 if after == 0 else math.copysign(WORST, after)
    return (after - before) / abs(before)


def batch_measure(
    supernetwork: Supernetwork,
    proxy: str,
    data: DataSet,
    *,
    batch: int,
    repeats: int = REPEATS,
    seed: int = 0,
    device: str = "cpu",
) -> ProxyMeasure:
    """A proxy of as many train images as `batch` says, others for each initialisation.

    TE-NAS' own is the condition number of the neural tangent kernel, `ntk_cond`, of 72 images for
    NAS-Bench-201, of 14 for DARTS on CIFAR-10 and of 24 on ImageNet, under He's weights by fan-out (3.1.1);
    any other proxy is given those by fan-in.

    Args:
        supernetwork: of which choices remain.
        proxy: a name, see `hwnas.proxies.names()`.
        data: whose train images are drawn.
        batch: the number of images.
        repeats: the number of initialisations.
        seed: that draws them; other seeds share none.
        device: where the networks are scored.
    """

    def images(network: Network, seed: int) -> tuple[Tensor, Tensor]:
        inputs, targets = data.batch(batch, seed)
        return inputs.to(device), targets.to(device)

    fan: Fan = "fan_out" if proxy == "ntk_cond" else "fan_in"
    return ProxyMeasure(supernetwork, proxy, images, fan, repeats=repeats, seed=seed)


def regions_measure(
    supernetwork: Supernetwork,
    data: DataSet,
    *,
    blocks: Sequence[str] = (),
    repeats: int = REPEATS,
    seed: int = 0,
    device: str = "cpu",
) -> ProxyMeasure:
    """The number of linear regions of a thin copy that 3000 crops of images fall into: more is better.

    Section 3.1.2; see `hwnas.network.thin` for the copy. The crops are as small as it accepts and of one
    channel, the weights He's by fan-in. Deep copies tell nearly all crops apart, so TE-NAS takes a single
    cell of NAS-Bench-201 and the head, whose activation sees the edges into the last node. Of the whole
    network equal blocks are all kept: which are equal changes with what is removed.

    Args:
        supernetwork: of which choices remain.
        data: whose train images are cropped.
        blocks: the names of blocks at the top that are run one after the other, such as `stage0.cell0` and
            `head` of NAS-Bench-201; none for all of the network.
        repeats: the number of initialisations.
        seed: that draws them; other seeds share none.
        device: where the networks are scored.
    """

    def crops(network: Network, seed: int) -> tuple[Tensor, None]:
        return data.crops(REGION_IMAGES, network.inputs[0].shape[-1], seed).to(device), None

    @cache
    def side() -> int:
        """The same whatever remains: counts on maps of different sizes cannot be compared."""
        whole = reduced_network(supernetwork, all_but_zeros(supernetwork))
        return smallest_thin(whole, blocks=blocks, repeats=True).inputs[0].shape[-1]

    def part(network: Network) -> Network:
        return thin(network, side=side(), blocks=blocks, repeats=True)

    return ProxyMeasure(supernetwork, "linear_regions", crops, "fan_in", part, repeats, seed)


def _initialised(network: Network, fan: Fan, seed: int, device: torch.device) -> nn.Module:
    cpu = torch.device("cpu")
    with isolated(seed, cpu):
        module = to_torch(network)
    with isolated(seed, cpu):  # whatever to_torch drew
        he_normal(module, fan)
    return _placed(module, device)


def _with_weights_of(whole: nn.Module, network: Network, device: torch.device) -> nn.Module:
    """The module of a network that has some of the parameters of `whole`."""
    module = _placed(to_torch(network), device)
    known = whole.state_dict()
    module.load_state_dict({name: known[name] for name in module.state_dict()})
    return module


def _placed(module: nn.Module, device: torch.device) -> nn.Module:
    """With channels last, which networks of few channels are faster with."""
    return module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
