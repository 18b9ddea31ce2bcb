"""Padding inside windows and as operators of its own."""

from hypothesis import given
from hypothesis import strategies as st

from hwnas.network.builder import Builder
from hwnas.network.program import fuse_pads, lower, same_pads
from hwnas.network.program.program import Program, Window


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 5, 7]), st.integers(1, 3))
def test_same_padding_divides_by_the_stride_and_rounds_up(h: int, w: int, kernel: int, stride: int) -> None:
    top, left, bottom, right = same_pads(Window((kernel, kernel), (stride, stride)), h, w)
    for size, begin, end in ((h, top, bottom), (w, left, right)):
        assert (size + begin + end - kernel) // stride + 1 == -(-size // stride)
        assert 0 <= end - begin <= 1


def windows(program: Program) -> list[Window | None]:
    return [operator.window for operator in program.operators]


@given(st.lists(st.tuples(st.sampled_from([1, 3, 5]), st.integers(1, 2)), min_size=1, max_size=6))
def test_pads_taken_into_windows_are_those_that_were_taken_out(layers: list[tuple[int, int]]) -> None:
    b = Builder()
    x = b.input(4, 48, 48)
    for kernel, stride in layers:
        x = b.depthwise(x, kernel=kernel, stride=stride)
    network = b.build(x)
    fused = lower(network, fused_pad=True)
    assert windows(fuse_pads(lower(network))) == windows(fused)
    assert fuse_pads(fused) is fused


def test_a_pad_that_others_read_stays() -> None:
    b = Builder()
    x = b.layer("Pad", b.input(4, 8, 8), pads=(0, 0, 1, 1, 0, 0, 1, 1))
    y = b.conv(x, 4, kernel=3, padding=0)
    kinds = [operator.kind for operator in fuse_pads(lower(b.build(x, y))).operators]
    assert kinds == ["PAD", "CONV_2D"]
