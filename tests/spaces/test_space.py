import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from hwnas.spaces import MobileNetV2, NASBench201, SearchSpace, space

from .toy import Plain, Toy

SPACES = [
    Toy(),
    Plain(),
    NASBench201(cells=1),
    MobileNetV2(resolution=64, classes=10),
    MobileNetV2(squeeze_excite=(False, True), kernels=(3,)),
]
seeds = st.integers(0, 2**32 - 1)


def draw(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_size_is_the_number_of_valid_points() -> None:
    toy = Toy()
    every = [(a, b, c) for a in range(4) for b in (0, 2, 4) for c in (0, 1) if a + b + c <= 5]
    assert toy.size == len(every) == len(list(toy)) == len(set(toy))
    assert {tuple(a.values()) for a in toy} == set(every)
    assert Plain().size == 6
    assert NASBench201().size == 15_625 == sum(1 for _ in NASBench201())
    assert MobileNetV2().size == (2 * 1 * 2 * 3) * (2 * 2 * 3 * 3) ** 5 * (2 * 2 * 2 * 3)
    with pytest.raises(ValueError, match="too many to enumerate"):
        list(MobileNetV2())


def test_draws_are_uniform_over_the_valid_points() -> None:
    toy, generator = Toy(), draw(0)
    seen = Counter(toy.random(generator) for _ in range(20_000))
    assert set(seen) == set(toy)
    assert chisquare([seen[a] for a in toy]).pvalue > 0.001


@pytest.mark.parametrize("n", [4, 12])
def test_samples_are_uniform(n: int) -> None:
    """Both by rejection (few) and by permutation (many)."""
    toy = Toy()
    seen = Counter(a for seed in range(3000) for a in toy.sample(n, seed=seed))
    # Draws without replacement vary less than chi-square assumes: only a bias makes this fail.
    assert chisquare([seen[a] for a in toy]).pvalue > 0.001


def test_mutations_are_uniform_over_the_neighbours_of_one_decision() -> None:
    plain, generator = Plain(), draw(1)
    start = plain.architecture(kernel=3, act="relu", one=1)
    seen = Counter(plain.mutate(start, generator) for _ in range(8000))
    assert set(seen) == set(plain.neighbours(start))
    by_kernel = [seen[plain.architecture(kernel=k, act="relu", one=1)] for k in (5, 7)]
    assert (
        chisquare(
            [*by_kernel, seen[plain.architecture(kernel=3, act="swish", one=1)]], [2000, 2000, 4000]
        ).pvalue
        > 0.001
    )


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_all_that_moves_stays_valid(space: SearchSpace, seed: int) -> None:
    generator = draw(seed)
    mother, father = space.random(generator), space.random(generator)
    mutant, child = space.mutate(mother, generator), space.crossover(mother, father, generator)
    for architecture in (mother, father, mutant, child):
        space.check(architecture)
        assert space.is_valid(architecture)
    assert sum(a != b for a, b in zip(mother.encoding, mutant.encoding, strict=True)) == 1
    assert all(c in (m, f) for c, m, f in zip(child.encoding, mother.encoding, father.encoding, strict=True))
    neighbours = list(space.neighbours(mother))
    assert len(neighbours) == len(set(neighbours))
    assert mutant in neighbours
    assert mother not in neighbours


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_round_trips(space: SearchSpace, seed: int) -> None:
    a = space.random(draw(seed))
    assert space.parse(str(a)) == a
    assert space.from_encoding(a.encoding) == a
    assert space.from_encoding([np.int64(i) for i in a.encoding]) == a
    assert space.architecture(**dict(a)) == a
    again = pickle.loads(pickle.dumps(a))
    assert again == a
    assert hash(again) == hash(a)
    assert again.network.key == a.network.key


def test_encodings_as_arrays() -> None:
    toy = Toy()
    every = list(toy)
    one_hot, integers = toy.one_hot(every), toy.integers(every)
    assert one_hot.shape == (len(every), 9)
    assert (one_hot.sum(axis=1) == 3).all()
    assert [toy.from_encoding(row) for row in integers] == every
    starts = np.cumsum([0, 4, 3])
    assert (one_hot[np.arange(len(every))[:, None], integers + starts] == 1).all()
    assert toy.one_hot([]).shape == (0, 9)
    assert toy.integers([]).shape == (0, 3)


def test_the_same_seed_gives_the_same_sample() -> None:
    space = MobileNetV2()
    assert space.sample(20, seed=5) == space.sample(20, seed=5) != space.sample(20, seed=6)
    assert len(set(space.sample(200, seed=0))) == 200


def test_asking_for_more_than_there_are() -> None:
    assert len(Toy().sample(Toy().size, seed=0)) == Toy().size
    with pytest.raises(ValueError, match=f"which has {Toy().size}"):
        Toy().sample(Toy().size + 1, seed=0)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("no decision 'd'; it has a, b, c", lambda s: s.architecture(a=0, b=0, c=False, d=1)),
        ("b=1 is not in space toy; choose from 0, 2, 4", lambda s: s.architecture(a=0, b=1, c=False)),
        ("needs a choice for b, c", lambda s: s.architecture(a=0)),
        ("not a valid architecture", lambda s: s.architecture(a=3, b=4, c=True)),
        ("not a valid architecture", lambda s: s.from_encoding((3, 2, 1))),
        (r"choices per decision \[4, 3, 2\]", lambda s: s.from_encoding((0, 3, 0))),
        ("no architecture of space", lambda s: s.from_encoding((0, 0))),
        ("no architecture of space", lambda s: s.from_encoding((-1, 0, 0))),
        ("not of the form decision=choice", lambda s: s.parse("a=0,b")),
        ("choose from False, True", lambda s: s.parse("a=0,b=0,c=maybe")),
        ("belongs to space", lambda s: s.mutate(Plain().sample(1, seed=0)[0], draw(0))),
        ("belongs to space", lambda s: list(s.neighbours(Toy(4).sample(1, seed=0)[0]))),
        ("belongs to space", lambda s: s.crossover(*Toy(4).sample(2, seed=0), draw(0))),
    ],
)
def test_errors_say_what_would_be_right(message: str, call: object) -> None:
    with pytest.raises(ValueError, match=message):
        call(Toy())


def test_no_neighbour_and_no_valid_point() -> None:
    lonely = Toy(0)
    assert lonely.size == 1
    with pytest.raises(ValueError, match="no valid neighbour"):
        lonely.mutate(next(iter(lonely)), draw(0))


def test_spaces_of_other_settings_differ() -> None:
    assert Toy(3) == Toy(3) != Toy(4)
    assert hash(Toy(3)) == hash(Toy(3))
    assert Toy(3) != Plain()
    assert MobileNetV2(resolution=96) != MobileNetV2(resolution=128)
    a, b = Toy(3).from_encoding((0, 0, 0)), Toy(4).from_encoding((0, 0, 0))
    assert a != b
    assert a == Toy(3).from_encoding((0, 0, 0))


def test_architectures_are_mappings() -> None:
    a = Toy().architecture(a=1, b=2, c=True)
    assert dict(a) == {"a": 1, "b": 2, "c": True}
    assert len(a) == 3
    assert repr(a) == "<toy a=1,b=2,c=True>"
    with pytest.raises(ValueError, match="no decision"):
        a["nothing"]


@pytest.mark.parametrize(
    "made",
    [
        NASBench201(),
        NASBench201(channels=8, classes=100),
        MobileNetV2(),
        MobileNetV2(resolution=96, classes=10, width=0.35),
        MobileNetV2(
            kernels=(3,), widths=(0.5, 1.0), depths=(0,), squeeze_excite=(False, True), small_input=True
        ),
        MobileNetV2(resolution=32, small_input=False),
        Toy(),
        Toy(3),
        Plain(),
    ],
    ids=str,
)
def test_the_text_of_a_space_makes_it_again(made: SearchSpace) -> None:
    assert space(str(made)) == made


@pytest.mark.parametrize(
    ("message", "spec"),
    [
        ("did you mean mobilenetv2?", "mobilenetv3"),
        ("Known: nasbench201, mobilenetv2", "nothing at all"),
        ("no setting 'size'; it has resolution, classes", "mobilenetv2:size=3"),
        ("must be key=value", "mobilenetv2:resolution"),
        ("must be key=value", "mobilenetv2:resolution=__import__('os')"),
        ("resolution must be a whole number", "mobilenetv2:resolution=9.5"),
        ("kernels must be odd", "mobilenetv2:kernels=(2,)"),
        ("channels must be a whole number", "nasbench201:channels=-1"),
        ("no space json:Nothing", "json:Nothing"),
        ("is not a SearchSpace", "json:JSONDecoder"),
        ("no space missing_module:A", "missing_module:A"),
    ],
)
def test_wrong_specs_say_what_would_be_right(message: str, spec: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?").replace("(", r"\(")):
        space(spec)


def test_specs() -> None:
    assert space("mobilenetv2:resolution=96,classes=10") == MobileNetV2(resolution=96, classes=10)
    assert space("mobilenetv2", resolution=96) == MobileNetV2(resolution=96)
    assert space(f"{Toy.__module__}:Toy:limit=3") == Toy(3)
