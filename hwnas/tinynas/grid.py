"""The spaces that TinyNAS chooses from: 9 width multipliers by 12 resolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.spaces import MCUNet, SearchSpace

WIDTHS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RESOLUTIONS = tuple(range(48, 225, 16))

Grid = Mapping[str, SearchSpace]


def mcunet_grid(
    widths: Sequence[float] = WIDTHS, resolutions: Sequence[int] = RESOLUTIONS, classes: int = 1000
) -> dict[str, SearchSpace]:
    """A space for each width multiplier and resolution, called `w0.5-r144`.

    The defaults are the 108 configurations of Lin et al., "MCUNet", NeurIPS 2020, section 3.1.

    Raises:
        ValueError: no width or no resolution, one that is given twice, or one that the space does not take.
    """
    for name, values in (("widths", widths), ("resolutions", resolutions)):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{name} must be different values, at least one, not {list(values)}")
    return {
        f"w{width:g}-r{resolution}": MCUNet(width=width, resolution=resolution, classes=classes)
        for width in widths
        for resolution in resolutions
    }


def named(grid: Grid | Sequence[SearchSpace]) -> dict[str, SearchSpace]:
    """The spaces by name; those of a sequence are called as they print.

    Raises:
        ValueError: there is no space, or one is given twice.
    """
    spaces = dict(grid) if isinstance(grid, Mapping) else {str(space): space for space in grid}
    if not spaces:
        raise ValueError("the grid holds no search space; give at least one")
    if len(spaces) < len(grid) or len(set(spaces.values())) < len(spaces):
        raise ValueError("the grid holds one search space twice; give each once")
    return spaces
