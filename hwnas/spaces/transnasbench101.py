"""TransNAS-Bench-101 (Duan et al., CVPR 2021): a space of cells (micro) and one of skeletons (macro).

Networks are the benchmark's with the decoder of its classification tasks: a stem that reduces the
resolution to a quarter, modules of two blocks each, global pooling and a classifier. A module keeps the
shape (code 1), doubles the channels (2), halves the resolution (3), or does both (4), in its first block.
"""

from __future__ import annotations

import itertools
import re
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence

from hwnas.network.builder import BlockFunction, Builder
from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.mixtures import candidate_network, edge_mixtures, groups_of
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Supernetwork, no_supernetwork
from hwnas.spaces.transnasbench101_layers import cell_block, edge, head, residual_block, stem

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")  # codes 0 to 3
EDGES = ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")
EDGE_BLOCKS = {f"edge{edge.replace('→', '_')}": edge for edge in EDGES}
CELL_DECISIONS = dict.fromkeys(EDGES, OPERATIONS)
MICRO_MODULES = (4, 1, 4, 1, 4)
CODES = (1, 2, 3, 4)
DOUBLING, HALVING = (2, 4), (3, 4)
LEAST_MODULES, MOST_MODULES = 4, 6
SKELETON_DECISIONS = {
    f"module_{module}": CODES if module <= LEAST_MODULES else (0, *CODES)
    for module in range(1, MOST_MODULES + 1)
}
BLOCKS = 2
_CELL = re.compile(r"([0-3])_([0-3]{2})_([0-3]{3})")
_SKELETON = re.compile(r"[1-4]{4,6}")


class _TransNASBench101(SearchSpace):
    """What both spaces have: the settings, the first field of the string, stem and head."""

    def __init__(self, *, channels: int = 64, classes: int = 75, resolution: int = 256) -> None:
        _require_multiple(2, channels=channels)
        _require_multiple(1, classes=classes)
        _require_multiple(32, resolution=resolution)
        self.channels, self.classes, self.resolution = channels, classes, resolution

    def identity(self) -> Hashable:
        """The skeleton's settings."""
        return tuple(self.settings().values())

    def settings(self) -> dict[str, object]:
        """The skeleton's settings, as keyword arguments."""
        return {"channels": self.channels, "classes": self.classes, "resolution": self.resolution}

    def network(self, architecture: Architecture) -> Network:
        """Stem, modules of two blocks, head."""
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        x = b.block("stem", stem, x, channels=self.channels)
        function, arguments = self._block(architecture)
        for module, code in enumerate(self.modules(architecture)):
            channels = 2 * x.shape[0] if code in DOUBLING else x.shape[0]
            for block in range(BLOCKS):
                stride = 2 if code in HALVING and block == 0 else 1
                name = f"module{module}.block{block}"
                x = b.block(name, function, x, channels=channels, stride=stride, **arguments)
        return b.build(b.block("head", head, x, classes=self.classes))

    @abstractmethod
    def modules(self, architecture: Architecture) -> tuple[int, ...]:
        """The codes of the modules (see above)."""

    @abstractmethod
    def _block(self, architecture: Architecture) -> tuple[BlockFunction, dict[str, Hashable]]:
        """What a block is made of: a function and its arguments beyond channels and stride."""

    def _fields(self, text: str, kind: str) -> list[str]:
        """The two fields after the base channels."""
        channels, *fields = text.strip().split("-")
        if len(fields) != 2:
            raise ValueError(f"{text!r} is no TransNAS-Bench-101 string: {self.channels}-{kind} expected")
        if channels != str(self.channels):
            raise ValueError(f"{text!r} begins with {channels!r}; this space has {self.channels} channels")
        return fields


class TransNASBench101Micro(_TransNASBench101):
    """The 4,096 cells of 4 nodes with 4 operations on each of the 6 edges, in the skeleton 41414.

    Architectures print and parse as the benchmark's strings: `64-41414-1_02_333` has 64 channels at the
    stem and operation 1 (`skip_connect`) on edge 0→1, 0 and 2 on 0→2 and 1→2, and 3 on the edges to node 3.
    The edges from node 0 do what reduction the cell has to do; a skip then is two shifted 1×1 convolutions
    side by side. A node that no edge feeds is a constant zero, and what hangs on it alone is dead.

    Args:
        channels: channels after the stem, even.
        classes: number of classes; the benchmark's object classification has 75, its scenes 47.
        resolution: input height and width in pixels, a multiple of 32.
    """

    name = "transnasbench101_micro"
    decisions = CELL_DECISIONS

    def format(self, architecture: Architecture) -> str:
        """The benchmark's architecture string."""
        a, b, c, d, e, f = architecture.encoding
        return f"{self.channels}-{_joined(MICRO_MODULES)}-{a}_{b}{c}_{d}{e}{f}"

    def parse(self, text: str) -> Architecture:
        """Read a benchmark string; raises ValueError naming the part that is wrong."""
        skeleton, cell = self._fields(text, "41414-1_02_333")
        if skeleton != _joined(MICRO_MODULES):
            raise ValueError(
                f"skeleton {skeleton!r} of {text!r} must be {_joined(MICRO_MODULES)} in this space"
            )
        match = _CELL.fullmatch(cell)
        if not match:
            raise ValueError(
                f"cell {cell!r} of {text!r} must be 1, 2 and 3 operations 0 to 3, as in 1_02_333"
            )
        return self.from_encoding([int(code) for code in "".join(match.groups())])

    def supernetwork(self) -> Supernetwork:
        """Six groups that all cells share, one for each edge; each edge of a cell is a mixture."""
        skeleton = self.architecture(**dict.fromkeys(EDGES, "nor_conv_3x3")).network
        mixtures = edge_mixtures(skeleton, lambda path: EDGE_BLOCKS.get(path.rpartition(".")[2]), _candidates)
        return Supernetwork(self, skeleton, groups_of(self), mixtures)

    def modules(self, architecture: Architecture) -> tuple[int, ...]:
        """The same for every cell."""
        return MICRO_MODULES

    def _block(self, architecture: Architecture) -> tuple[BlockFunction, dict[str, Hashable]]:
        return cell_block, {"operations": tuple(OPERATIONS[index] for index in architecture.encoding)}


class TransNASBench101Macro(_TransNASBench101):
    """The 3,256 skeletons of 4 to 6 modules of two residual blocks each.

    1 to 4 modules halve the resolution and 1 to 3 double the channels. Decisions: the code of each module,
    0 for a fifth or sixth that is not there. Architectures print and parse as the benchmark's strings, such
    as `64-1234-basic`.

    Args:
        channels: channels after the stem, even.
        classes: number of classes; the benchmark's object classification has 75, its scenes 47.
        resolution: input height and width in pixels, a multiple of 32.
    """

    name = "transnasbench101_macro"
    decisions = SKELETON_DECISIONS

    def is_valid(self, architecture: Architecture) -> bool:
        """Whether the modules follow each other without a gap and reduce as often as they may."""
        modules = self.modules(architecture)
        return not any(_codes(architecture)[len(modules) :]) and _fault(modules) is None

    def format(self, architecture: Architecture) -> str:
        """The benchmark's architecture string."""
        return f"{self.channels}-{_joined(self.modules(architecture))}-basic"

    def parse(self, text: str) -> Architecture:
        """Read a benchmark string; raises ValueError naming the part that is wrong."""
        skeleton, block = self._fields(text, "1234-basic")
        if block != "basic":
            raise ValueError(f"block {block!r} of {text!r} must be basic in this space")
        if not _SKELETON.fullmatch(skeleton):
            raise ValueError(f"skeleton {skeleton!r} of {text!r} must be 4 to 6 modules 1 to 4")
        codes = [int(code) for code in skeleton]
        fault = _fault(codes)
        if fault:
            raise ValueError(f"skeleton {skeleton!r} of {text!r} {fault}")
        codes += [0] * (MOST_MODULES - len(codes))
        return self.from_encoding([code - (position < LEAST_MODULES) for position, code in enumerate(codes)])

    def supernetwork(self) -> Supernetwork:
        """None: raises ValueError."""
        raise no_supernetwork(self, list(self.decisions), "change the shape of all that follows")

    def modules(self, architecture: Architecture) -> tuple[int, ...]:
        """The codes up to the first 0."""
        return tuple(itertools.takewhile(bool, _codes(architecture)))

    def _block(self, architecture: Architecture) -> tuple[BlockFunction, dict[str, Hashable]]:
        return residual_block, {}


def _candidates(block: Network) -> list[Network | None]:
    shape, result = block.inputs[0].shape, block.outputs[0].shape
    settings = {"channels": result[0], "stride": shape[1] // result[1]}
    networks = [
        candidate_network(shape, edge, operation=operation, name="edge", **settings)
        for operation in OPERATIONS[1:]
    ]
    return [None, *networks]


def _require_multiple(divisor: int, **settings: int) -> None:
    for name, value in settings.items():
        if not isinstance(value, int) or value < 1 or value % divisor:
            kind = f"multiple of {divisor}" if divisor > 1 else "whole number"
            raise ValueError(f"{name} must be a {kind} of at least {divisor}, not {value!r}")


def _joined(codes: Iterable[int]) -> str:
    return "".join(map(str, codes))


def _codes(architecture: Architecture) -> list[int]:
    """The codes of a macro architecture, with the zeros of the modules that are not there."""
    return [index + (position < LEAST_MODULES) for position, index in enumerate(architecture.encoding)]


def _fault(codes: Sequence[int]) -> str | None:
    """What is wrong with a skeleton of the right length."""
    halvings = sum(code in HALVING for code in codes)
    doublings = sum(code in DOUBLING for code in codes)
    if not 1 <= halvings <= 4:
        return f"halves the resolution {halvings} times, not 1 to 4 (codes 3 and 4)"
    if not 1 <= doublings <= 3:
        return f"doubles the channels {doublings} times, not 1 to 3 (codes 2 and 4)"
    return None
