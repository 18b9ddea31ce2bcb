import os
import pickle
import struct
import subprocess
import tracemalloc
from collections import OrderedDict, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.oracles.pickled_names import NAMES, Array, Inert
from hwnas.oracles.safe_pickle import loads

PROTOCOLS = [2, 3, 4, 5]

atoms = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
keys = atoms | st.tuples(st.text(), st.integers())
plain = st.recursive(
    atoms | st.sets(atoms) | st.frozensets(atoms),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple),
)


@given(data=plain, protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_is_read_as_pickle_reads_it(data: Any, protocol: int) -> None:
    written = pickle.dumps(data, protocol)
    assert loads(written, NAMES) == (data, len(written))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_and_large_containers(protocol: int) -> None:
    shared = [1.5, "x" * 300]
    data = {"a": shared, "b": shared, "many": list(range(3000)), "dict": {str(i): i for i in range(3000)}}
    read, _ = loads(pickle.dumps(data, protocol), NAMES)
    assert read == data
    assert read["a"] is read["b"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.uint8, np.bool_, ">f8"])
def test_numbers_of_numpy(protocol: int, kind: Any) -> None:
    array = np.array([0, 1, 1], dtype=kind)
    read, _ = loads(pickle.dumps([array[1], array, np.zeros((0,), kind)], protocol), NAMES)
    assert read[0] == 1
    assert type(read[0]) in (int, float, bool)
    np.testing.assert_array_equal(read[1].values(), array)
    assert len(read[2].values()) == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dictionaries_of_collections(protocol: int) -> None:
    data = [OrderedDict(a=1), defaultdict(list, b=2), defaultdict(None, c=3)]
    assert loads(pickle.dumps(data, protocol), NAMES)[0] == [{"a": 1}, {"b": 2}, {"c": 3}]


class Shell:
    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


class Evaluated:
    def __reduce__(self) -> Any:
        return eval, ("open('harmed', 'w')",)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("harmful", "named"),
    [
        (Shell(), "posix.system"),
        (Evaluated(), "eval"),
        (os.system, "posix.system"),
        (Path("x"), "pathlib"),
        (subprocess.Popen, "Popen"),
        (getattr, "getattr"),
        (np.array([{}, None], dtype=object), "no plain numbers"),
    ],
)
def test_every_other_name_is_refused(
    protocol: int, harmful: Any, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=named):
        read, _ = loads(pickle.dumps({"a": [harmful]}, protocol), NAMES)
        read["a"][0].values()
    assert not list(tmp_path.iterdir())


def test_the_refusal_names_the_global_on_one_line() -> None:
    with pytest.raises(ValueError, match=r"names os\.system, which is refused"):
        loads(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", NAMES)
    with pytest.raises(ValueError) as caught:
        loads(b"\x80\x04\x8c\x03a\nb\x8c\x04x\r\nyy\x93.", NAMES)
    assert "\n" not in str(caught.value)


def nested_tuple() -> bytes:
    return b"\x80\x02)" + b"\x85" * 200_000


def repeated(make: bytes, big: bytes) -> bytes:
    """A pickle that makes the same of one big object again and again."""
    return b"\x80\x04" + big + b"\x94" + make * 2_000 + b"."


BIG_TEXT = b"X" + struct.pack("<I", 1 << 18) + b"a" * (1 << 18)
BIG_LIST = b"](" + b"K\x01" * (1 << 17) + b"e"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"(lp0\n.",
        b"\x80\x04",
        b"\x80\x04.",
        b"\x80\x04]",
        b"\x80\x04e.",
        b"\x80\x04]h\x07.",
        b"\x80\x04N)R.",
        b"\x80\x04c_codecs\nencode\nNR.",
        b"\x80\x04]}b.",
        b"\x80\x04}]]s.",
        b"\x80\x04}(K\x01u.",
        b"\x80\x04K\x01Q.",
        b"\x80\x04ccollections\nOrderedDict\n)\x81.",
        b"\x80\x04cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.",
        b"\x80\x04B\xff\xff\xff\xff.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04X\x01\x00\x00\x00\xff.",
        b"\x80\x02c" + b"a" * 5000,
        nested_tuple() + b"}\x86" + b".",
        b"\x80\x02}" + nested_tuple()[2:] + b"Ns.",
        nested_tuple() + b"X\x01\x00\x00\x00a\x93.",
        repeated(b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R", BIG_TEXT),
        repeated(b"cbuiltins\nset\nh\x00\x85R", BIG_LIST),
    ],
)
def test_damaged_and_hostile_pickles(data: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        read, _ = loads(data, NAMES)
        if isinstance(read, tuple):  # nothing but a deep tuple, which nobody looks into
            raise ValueError("nested")
    assert "\n" not in str(caught.value)


@given(data=plain, protocol=st.sampled_from(PROTOCOLS), cut=st.floats(0, 1, exclude_max=True))
def test_a_pickle_that_is_cut_off(data: Any, protocol: int, cut: float) -> None:
    written = pickle.dumps(data, protocol)
    with pytest.raises(ValueError):
        loads(written[: int(cut * len(written))], NAMES)


@given(
    data=plain,
    protocol=st.sampled_from(PROTOCOLS),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
)
def test_a_pickle_with_a_wrong_byte_is_read_or_refused(
    data: Any, protocol: int, place: float, byte: int
) -> None:
    written = bytearray(pickle.dumps([data, np.arange(3.0), OrderedDict()], protocol))
    written[int(place * len(written))] = byte
    with suppress(ValueError):
        loads(bytes(written), NAMES, outside=Inert)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        loads(b"\x80\x04" + data, NAMES, outside=Inert)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04B\xff\xff\xff\xff.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8b\xfb\xff\xff\xff.",  # -5 bytes: believed, it would be read again without end
    ],
)
def test_a_length_is_not_believed(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"states -?\d+ bytes where 1 are left"):
        loads(data, NAMES)


def test_large_memo_numbers_take_no_memory() -> None:
    tracemalloc.start()
    read = loads(b"\x80\x02]r\xff\xff\xff\xff.", NAMES)[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == []
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (Array(b"12345678", None, (1,)), "no plain numbers"),
        (Array(b"", "f8", (0,)), "no plain numbers"),
    ],
)
def test_arrays_check_themselves(array: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        array.values()


def test_an_array_whose_shape_its_bytes_do_not_fill() -> None:
    written = pickle.dumps(np.arange(3.0), 4).replace(b"K\x03\x85", b"K\x04\x85")
    with pytest.raises(ValueError, match="does not fit its 24 bytes"):
        loads(written, NAMES)[0].values()


def test_the_allowed_names_make_nothing_that_can_act() -> None:
    kinds = (Array, Inert, dict, set, frozenset, bytes, int, float)
    for name in NAMES.values():
        for arguments in (
            (),
            (1,),
            ("f8",),
            (["a"],),
            ("a", "latin1"),
            ("f8", False, True),
            (None, (0,), b"b"),
        ):
            try:
                made = name.make(arguments)
            except ValueError:
                continue
            assert isinstance(made, kinds) or type(made).__name__ == "Dtype", name.text
