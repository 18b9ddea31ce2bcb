"""The spaces that TinyNAS chooses from: 9 width multipliers by 12 resolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.spaces import MCUNet, SearchSpace
from hwnas.tinynas.arguments import check_values

WIDTHS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RESOLUTIONS = tuple(range(48, 225, 16))

Grid = Mapping[str, SearchSpace]


def mcunet_grid(
    widths: Sequence[float] = WIDTHS, resolutions: Sequence[int] = RESOLUTIONS, classes: int = 1000
) -> dict[str, SearchSpace]:
    """A space for each width multiplier and resolution, called `w0.5-r144`.

    The defaults are the 108 configurations of Lin et al., "MCUNet", NeurIPS 2020, section 3.1.

    Raises:
        ValueError: widths or resolutions that are no numbers, none, one that is given twice, or one that the
            space does not take.
    """
    check_values("widths", widths, whole=False)
    check_values("resolutions", resolutions, whole=True)
    return {
        f"w{width:g}-r{resolution}": MCUNet(width=width, resolution=resolution, classes=classes)
        for width in widths
        for resolution in resolutions
    }


def named(grid: object) -> dict[str, SearchSpace]:
    """The spaces by name; those of a sequence are called as they print.

    Raises:
        ValueError: the grid is no sequence or mapping of spaces, holds none, or one twice.
    """
    if isinstance(grid, SearchSpace):
        raise ValueError(f"grid must be search spaces, by name or in a sequence: for one give [{grid}]")
    if isinstance(grid, str) or not isinstance(grid, (Mapping, Sequence)):
        raise ValueError(f"grid must be search spaces, by name or in a sequence, not {grid!r}")
    for one in grid.values() if isinstance(grid, Mapping) else grid:
        if not isinstance(one, SearchSpace):
            raise ValueError(f"grid must hold search spaces, not {one!r}")
    spaces = dict(grid) if isinstance(grid, Mapping) else {str(space): space for space in grid}
    if not spaces:
        raise ValueError("the grid holds no search space; give at least one")
    if len(spaces) < len(grid) or len(set(spaces.values())) < len(spaces):
        raise ValueError("the grid holds one search space twice; give each once")
    return spaces
