"""Results are somebody else's file: whatever cannot be of the bundle is refused, and says where."""

import copy
import json
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwnas.latency.devices.device import Identity
from hwnas.latency.measuring.journal import Record
from hwnas.latency.records import to_plain
from hwnas.latency.remote import results
from hwnas.latency.remote.manifest import read_manifest
from hwnas.latency.remote.results import most_samples, read_results
from hwnas.latency.tables.entry import failed_entry

from ..helpers import CARD, ENVIRONMENT, FAST, entry, small_network

KEY = small_network().key


@pytest.fixture
def lines(bundle):
    """Identity and one record, as an honest runner writes them."""
    manifest = read_manifest(bundle)
    identity = Identity(CARD, manifest.options.card("1.2.3"), FAST)
    entries = tuple(
        replace(
            entry(model.key, model.kind, n=6, name=model.name),
            flops=model.flops,
            params=model.params,
            onnx_sha256=model.onnx_sha256,
            blocks=model.blocks,
        )
        for model in manifest.models
    )
    record = Record(entries, dict.fromkeys(manifest.sentinels, 100.0), ENVIRONMENT)
    return [{"identity": to_plain(identity), "space": None}, to_plain(record)]


def write(bundle, lines, end=b""):
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    (bundle / "results.jsonl").write_bytes(text + end)


def change(lines, path, value):
    found = copy.deepcopy(lines)
    *outer, last = path
    place = found
    for step in outer:
        place = place[step]
    place[last] = value
    return found


def test_honest_results_are_a_table(bundle, lines):
    write(bundle, lines, end=b'{"torn')
    table = read_results(bundle)
    assert len(table) == 4 and table[KEY].n == 6 and table[KEY].p10_us == 100.0
    assert table.meta.environment.onnx_version == read_manifest(bundle).onnx_version


def test_a_later_line_replaces_a_failed_entry(bundle, lines):
    model = next(m for m in read_manifest(bundle).models if m.key == KEY)
    failed = failed_entry(KEY, "network", "mine", "=cmd|' /C calc'!A0", blocks=model.blocks)
    first = change(lines, (1, "entries", 0), to_plain(failed))
    write(bundle, first)
    table = read_results(bundle)
    assert table[KEY].failed
    table.save(bundle / "table")
    assert not [line for line in (bundle / "table/networks.csv").read_text().split(",") if line[:1] == "="]
    write(bundle, [*first, lines[1]])
    assert not read_results(bundle)[KEY].failed


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((1, "entries", 0, "key"), "f" * 32, "key f.* is not of this bundle"),
        ((1, "entries", 0, "key"), "../../x", "key is '../../x'"),
        ((1, "entries", 0, "name"), "=1+1", "name of .* is '=1\\+1', not the bundle's"),
        ((1, "entries", 0, "kind"), "block", "blocks is|kind of"),
        ((1, "entries", 0, "onnx_sha256"), "0" * 64, "onnx_sha256 of"),
        ((1, "entries", 0, "flops"), 1, "flops of"),
        ((1, "entries", 0, "blocks"), [], "blocks of"),
        ((1, "entries", 0, "n"), 7, "n is 7 .* at most 6"),
        ((1, "entries", 0, "p10_us"), -1.0, "p10_us"),
        ((1, "entries", 0, "p10_us"), 0, "p10_us"),
        ((1, "entries", 0, "p10_us"), float("nan"), "p10_us"),
        ((1, "entries", 0, "p10_us"), None, "p10_us"),
        ((1, "entries", 0, "p10_us"), float("inf"), "p10_us"),
        ((1, "entries", 0, "p10_us"), 10**400, "p10_us"),
        ((1, "entries", 0, "p10_us"), "100", "p10_us"),
        ((1, "entries", 0, "energy_mj"), -1.0, "energy_mj"),
        ((1, "entries", 0, "reason"), "a\x1b[2J", "unprintable"),
        ((1, "entries", 0, "reason"), "a" * 10_001, "too long"),
        ((1, "entries", 0, "flags"), ["fast"], "flags"),
        ((1, "entries", 0, "more"), 1, "'more' is not known"),
        ((1, "entries"), "none", "entries"),
        ((1, "sentinels"), {}, "sentinels are"),
        ((1, "sentinels"), {"x": 1.0}, "sentinels are"),
        ((1, "sentinels", "sentinel-dense"), -1.0, "sentinel-dense"),
        ((1, "environment", "utc_start"), "a\nb", "unprintable"),
        ((1, "environment", "load_min"), "high", "load_min"),
        ((0, "identity", "device", "model"), "a\nb", "the text"),
        ((0, "identity", "device", "threads"), 2, "threads is 2"),
        ((0, "identity", "protocol", "chunk"), 100, "protocol is"),
        ((0, "identity", "runtime", "precision"), "int8", "runtime is"),
        ((0, "identity", "runtime", "options"), {}, "runtime is"),
        ((0, "identity"), [], "object was expected"),
        ((0, "space"), "other", "space is 'other'"),
        ((0, "more"), 1, "identity and space"),
    ],
)
def test_each_lie_is_named(bundle, lines, path, value, message):
    write(bundle, change(lines, path, value))
    with pytest.raises(ValueError, match=rf"results\.jsonl: line .*({message})"):
        read_results(bundle)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"no newline", "empty"),
        (b"rubbish\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"[1]\n", "identity and space"),
        (b"9" * 5000 + b"\n", "not JSON"),
    ],
)
def test_rubbish_is_named(bundle, content, message):
    (bundle / "results.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_results(bundle)


def test_nothing_measured_yet(bundle, lines):
    write(bundle, lines[:1])
    with pytest.raises(ValueError, match="nothing was measured yet"):
        read_results(bundle)
    (bundle / "results.jsonl").unlink()
    with pytest.raises(FileNotFoundError):
        read_results(bundle)


@pytest.mark.parametrize("name", ["results.jsonl", "manifest.json"])
def test_links_pipes_and_folders_are_not_followed(bundle, lines, tmp_path, name):
    write(bundle, lines)
    (bundle / name).rename(tmp_path / "elsewhere")
    (bundle / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=f"{name} is a link"):
        read_results(bundle)
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        read_results(bundle)
    (bundle / name).unlink()
    (bundle / name).mkdir()
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        read_results(bundle)


@pytest.mark.parametrize("space", ["a\x1b[2J", "a" * 20_000])
def test_a_space_that_is_no_label_is_refused(bundle, lines, space):
    write(bundle, lines)
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "space": space}))
    with pytest.raises(ValueError, match=r"manifest\.json:.*space.*printable"):
        read_results(bundle)


def test_a_size_beyond_the_bound_is_refused_unread(bundle, lines, monkeypatch):
    write(bundle, lines)
    monkeypatch.setattr(results, "_LARGEST", 100)
    with pytest.raises(ValueError, match="more than the 100"):
        read_results(bundle)


def test_the_most_samples_count_all_passes():
    assert most_samples(FAST) == 6
    assert most_samples(replace(FAST, max_extra=3)) == 15


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_is_taken_or_a_value_error(bundle, lines, data):
    path = []
    place = lines
    while isinstance(place, (dict, list)) and place and (not path or data.draw(st.booleans())):
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        path.append(step)
        place = place[step]
    write(bundle, change(lines, path, data.draw(JSON)))
    try:
        table = read_results(bundle)
    except ValueError:
        return
    assert {e.key for e in table} <= {model.key for model in read_manifest(bundle).models}
    assert all(e.failed or e.p10_us > 0 for e in table)
