import random

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hwnas.cost.memory import RUNTIMES, plan
from hwnas.network.builder import Builder
from hwnas.network.program import Program, Tensor
from hwnas.report.memory_plan import COLOURS, draw_memory_plan
from tests.cost.memory.networks import mobile_network


def share(picture, colour):
    """The fraction of the picture's pixels that have this colour."""
    return np.mean(np.abs(picture[..., :3] - to_rgb(colour)).max(axis=-1) < 1 / 255)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_kinds_of_buffers_are_seen(runtime, tmp_path):
    made = plan(mobile_network(random.Random(3)), runtime)
    draw_memory_plan(made, tmp_path / "plan.png")
    picture = matplotlib.image.imread(tmp_path / "plan.png")
    assert picture.shape[:2] == (840, 1500)
    kinds = {buffer.kind for buffer in made.buffers}
    for kind in kinds | ({"runtime's records"} if made.persistent_bytes else set()):
        assert share(picture, COLOURS[kind]) > 1e-5, kind
    if not made.persistent_bytes and runtime == "liveness":
        assert share(picture, COLOURS["scratch"]) == 0


def test_names_that_matplotlib_would_read_as_formulas(tmp_path):
    b = Builder()
    x = b.conv(b.input(3, 8, 8), 4, name="$x^")
    draw_memory_plan(plan(b.build(b.conv(x, 4, name="y$" * 40)), "tflm"), tmp_path / "plan.png")
    assert (tmp_path / "plan.png").stat().st_size > 10_000


def test_a_program_without_operators(tmp_path):
    draw_memory_plan(plan(Program((Tensor("x", (1, 8)),), (), (0,), (0,)), "liveness"), tmp_path / "plan.png")
    assert (tmp_path / "plan.png").exists()


def test_a_missing_folder(tmp_path):
    b = Builder()
    with pytest.raises(OSError):
        draw_memory_plan(plan(b.build(b.conv(b.input(3, 8, 8), 4)), "tflm"), tmp_path / "no" / "plan.png")
