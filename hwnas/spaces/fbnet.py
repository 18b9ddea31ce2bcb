"""FBNet (Wu et al., CVPR 2019): 22 layers, each one of nine candidate blocks."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.mixtures import candidate_network, groups_of
from hwnas.spaces.mobile_layers import conv_bn, head
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Candidate, Supernetwork, Term, every_block


class BlockSettings(NamedTuple):
    """A block of table 2; `skip` has no settings."""

    kernel: int
    expansion: int
    groups: int


CANDIDATES: dict[str, BlockSettings | None] = {
    "k3_e1": BlockSettings(3, 1, 1),
    "k3_e1_g2": BlockSettings(3, 1, 2),
    "k3_e3": BlockSettings(3, 3, 1),
    "k3_e6": BlockSettings(3, 6, 1),
    "k5_e1": BlockSettings(5, 1, 1),
    "k5_e1_g2": BlockSettings(5, 1, 2),
    "k5_e3": BlockSettings(5, 3, 1),
    "k5_e6": BlockSettings(5, 6, 1),
    "skip": None,
}
NAMES = tuple(CANDIDATES)


class Stage(NamedTuple):
    """Channels, number of layers, and the stride of the first (table 1)."""

    channels: int
    depth: int
    stride: int


class Slot(NamedTuple):
    """A layer's block, the channels that it gives, and its stride."""

    name: str
    channels: int
    stride: int


STAGES = (
    Stage(16, 1, 1),
    Stage(24, 4, 2),
    Stage(32, 4, 2),
    Stage(64, 4, 2),
    Stage(112, 4, 1),
    Stage(184, 4, 2),
    Stage(352, 1, 1),
)
LAYERS = sum(stage.depth for stage in STAGES)
DECISIONS = {f"layer_{layer}": NAMES for layer in range(1, LAYERS + 1)}
STEM_CHANNELS, HEAD_CHANNELS, SMALL_HEAD_CHANNELS = 16, 1984, 1504
PUBLISHED: dict[str, tuple[dict[str, Any], str]] = {
    "fbnet-a": (
        {"head_channels": SMALL_HEAD_CHANNELS},
        "skip,k3_e3,k3_e1,skip,skip,k5_e6,k3_e3,k5_e1,k3_e3,k5_e6,k5_e3,k5_e1_g2,k5_e6,"
        "k3_e6,k5_e1_g2,k5_e3,k3_e1_g2,k5_e6,k5_e6,k5_e3,k5_e6,k5_e6",
    ),
    "fbnet-b": (
        {},
        "k3_e1,k3_e6,k5_e1,k3_e1,k3_e1,k5_e6,k5_e3,k3_e6,k5_e6,k5_e6,k5_e1,skip,k5_e3,"
        "k5_e6,k3_e1,k5_e1,k5_e3,k5_e6,k5_e1,k5_e6,k5_e6,k3_e6",
    ),
    "fbnet-c": (
        {},
        "k3_e1,k3_e6,skip,k3_e1,k3_e1,k5_e6,k5_e3,k5_e6,k3_e6,k5_e6,k5_e3,k5_e6,k5_e6,"
        "k5_e6,k5_e6,k5_e6,k5_e3,k5_e6,k5_e6,k5_e6,k5_e6,k3_e6",
    ),
}


class FBNet(SearchSpace):
    """The 9^22 networks of FBNet's layer-wise space.

    A 3×3 stem, seven stages of inverted residuals, a 1×1 convolution, global pooling and a classifier; all
    activations are ReLU. Blocks have the first 1×1 convolution at an expansion of 1 too; those of two
    groups group both 1×1 convolutions and shuffle channels between the first and the depthwise one. `skip`
    is the identity, or a 1×1 convolution with normalisation and ReLU where the shape changes; architectures
    that differ in which layer of a stage they skip can be the same network.

    Decisions: `layer_1` to `layer_22`. Architectures print and parse as the candidates' names, separated by
    commas; `from_encoding` reads the indices of HW-NAS-Bench (Li et al., ICLR 2021) and HELP (Lee et al.,
    NeurIPS 2021), whose CIFAR-100 network is `FBNet(resolution=32, classes=100)`.

    Args:
        resolution: input height and width in pixels.
        classes: number of classes.
        small_input: keep the resolution in the stem and in the second stage, as HW-NAS-Bench does for
            inputs of 32 pixels; by default where the resolution is below 64.
        head_channels: of the last convolution: by default 1984, and 1504 for small inputs.
    """

    name = "fbnet"
    decisions = DECISIONS
    named = PUBLISHED

    def __init__(
        self,
        *,
        resolution: int = 224,
        classes: int = 1000,
        small_input: bool | None = None,
        head_channels: int | None = None,
    ) -> None:
        small = isinstance(resolution, int) and resolution < 64 if small_input is None else small_input
        default_head = SMALL_HEAD_CHANNELS if small else HEAD_CHANNELS
        self.resolution, self.classes, self.small_input = resolution, classes, small
        self.head_channels = default_head if head_channels is None else head_channels
        for name, value, least in (
            ("resolution", resolution, 16),
            ("classes", classes, 2),
            ("head_channels", self.head_channels, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
        self._settings: dict[str, object] = {
            "resolution": resolution,
            "classes": classes,
            "small_input": None if small == (resolution < 64) else small,
            "head_channels": None if self.head_channels == default_head else self.head_channels,
        }

    def settings(self) -> dict[str, object]:
        """All settings, as keyword arguments."""
        return dict(self._settings)

    def identity(self) -> Hashable:
        """All settings."""
        return tuple(self._settings.values())

    def format(self, architecture: Architecture) -> str:
        """The candidates' names, separated by commas."""
        return ",".join(NAMES[index] for index in architecture.encoding)

    def parse(self, text: str) -> Architecture:
        """Read what `format` wrote; raises ValueError naming the part that is wrong."""
        names = [name.strip() for name in text.split(",")]
        if len(names) != LAYERS:
            raise ValueError(f"{LAYERS} candidates separated by commas expected, not {len(names)}: {text!r}")
        unknown = [name for name in names if name not in CANDIDATES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no candidate of FBNet; choose from {', '.join(NAMES)}")
        return self.from_encoding([NAMES.index(name) for name in names])

    def network(self, architecture: Architecture) -> Network:
        """Stem, stages, head."""
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        stem_stride = 1 if self.small_input else 2
        x = b.block(
            "stem", conv_bn, x, channels=STEM_CHANNELS, kernel=3, stride=stem_stride, activation="relu"
        )
        for slot, index in zip(self.slots, architecture.encoding, strict=True):
            x = _layer(b, x, candidate=CANDIDATES[NAMES[index]], **slot._asdict())
        return b.build(
            b.block("head", head, x, channels=self.head_channels, classes=self.classes, activation="relu")
        )

    @property
    def slots(self) -> tuple[Slot, ...]:
        """What the layers have in common whatever is chosen."""
        return tuple(
            Slot(
                f"stage{i}.block{layer}",
                stage.channels,
                1 if layer or (self.small_input and i == 2) else stage.stride,
            )
            for i, stage in enumerate(STAGES, start=1)
            for layer in range(stage.depth)
        )

    def supernetwork(self) -> Supernetwork:
        """A group for each layer, and a mixture."""
        skeleton = self.from_encoding([0] * LAYERS).network
        blocks = dict(every_block(skeleton))
        mixtures = {}
        for decision, slot in zip(self.decisions, self.slots, strict=True):
            shape = blocks[slot.name].inputs[0].shape
            mixtures[slot.name] = tuple(
                Candidate(
                    candidate_network(shape, _layer, candidate=settings, **slot._asdict()),
                    (Term(decision, (index,)),),
                )
                for index, settings in enumerate(CANDIDATES.values())
            )
        return Supernetwork(self, skeleton, groups_of(self), mixtures)


def _layer(
    b: Builder, x: Value, *, name: str, candidate: BlockSettings | None, channels: int, stride: int
) -> Value:
    value: Value = x
    if candidate:
        value = b.block(name, block, x, channels=channels, stride=stride, **candidate._asdict())
    elif stride > 1 or channels != x.shape[0]:
        value = b.block(name, conv_bn, x, channels=channels, stride=stride, activation="relu")
    return value


def block(
    b: Builder, x: Value, *, channels: int, kernel: int, expansion: int, groups: int, stride: int
) -> Value:
    """A candidate (figure 3): `[c, h, w] -> [channels, ceil(h/stride), ceil(w/stride)]`."""
    y = b.conv(x, x.shape[0] * expansion, groups=groups, name="expand")
    y = b.relu(b.batch_norm(y, name="expand_bn"))
    if groups > 1:
        y = channel_shuffle(b, y, groups=groups)
    y = b.relu(b.batch_norm(b.depthwise(y, kernel=kernel, stride=stride), name="depthwise_bn"))
    y = b.batch_norm(b.conv(y, channels, groups=groups, name="project"), name="project_bn")
    return b.add(x, y) if stride == 1 and channels == x.shape[0] else y


def channel_shuffle(b: Builder, x: Value, *, groups: int) -> Value:
    """Interleave the channels of `groups` groups (ShuffleNet, 2018): `[c, h, w] -> [c, h, w]`."""
    c, h, w = x.shape
    grouped = b.layer("Reshape", x, shape=(0, groups, c // groups, h, w))
    swapped = b.layer("Transpose", grouped, perm=(0, 2, 1, 3, 4))
    return b.layer("Reshape", swapped, shape=(0, c, h, w))
