import json
import math
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwnas.latency import LatencyTable
from hwnas.latency.fit import fit
from hwnas.latency.predictors import MissingBlockError, kinds, predictor_class, register
from hwnas.latency.predictors.fitted import FittedPredictor
from hwnas.latency.tables.entry import failed_entry
from tests.latency.predictors.synthetic import IDENTITY, SPACE, SPACE_TEXT, network_ms, table_of

ARCHITECTURES = SPACE.sample(40, seed=5)
TABLE = table_of(ARCHITECTURES, noise=0.01)
FRESH = [architecture.network for architecture in SPACE.sample(20, seed=6)]
KINDS = ("lookup", "linear", "gbm", "gp")


@pytest.fixture(scope="module")
def fitted():
    return {kind: fit(TABLE, kind, networks=ARCHITECTURES) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_error_is_small_and_on_all_networks(fitted, kind):
    predictor = fitted[kind]
    assert (
        predictor.held_out.n == 40 and predictor.held_out.mape < 0.03 and predictor.held_out.spearman > 0.95
    )
    assert predictor.card.table_id == TABLE.table_id and predictor.card.networks == 40


def test_predictions_on_fresh_networks(fitted):
    expected = np.array([network_ms(network) for network in FRESH])
    for kind in ("linear", "gbm", "gp"):
        assert np.abs(fitted[kind].predict(FRESH) / expected - 1).mean() < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(fitted, kind, tmp_path):
    fitted[kind].save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "predictor.json"]
    loaded = FittedPredictor.load(tmp_path)
    assert loaded.card == fitted[kind].card
    networks = [architecture.network for architecture in ARCHITECTURES]
    np.testing.assert_array_equal(loaded.predict(networks), fitted[kind].predict(networks))
    copied = pickle.loads(pickle.dumps(loaded))
    np.testing.assert_array_equal(copied.predict(networks), loaded.predict(networks))
    alone = predictor_class(kind).load(tmp_path)
    np.testing.assert_array_equal(alone.predict(networks), loaded.predict(networks))
    loaded.save(tmp_path / "again")
    for name in ("arrays.npz", "predictor.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_names_are_read_in_a_space():
    predictor = fit(TABLE, "linear", space=SPACE_TEXT)
    assert predictor.card.space == SPACE_TEXT
    with pytest.raises(ValueError, match="another network in space"):
        fit(TABLE, "linear", space="mobilenetv2:resolution=64,classes=10")
    with pytest.raises(ValueError, match="cannot be read in space nasbench201"):
        fit(TABLE, "linear", space="nasbench201")


def test_networks_must_come_from_somewhere():
    with pytest.raises(ValueError, match="give networks="):
        fit(TABLE, "linear")
    with pytest.raises(ValueError, match="not among the networks given"):
        fit(TABLE, "linear", networks=ARCHITECTURES[:39])


def test_unknown_kind_names_the_known_and_kinds_do_not_collide():
    with pytest.raises(ValueError, match=r"gbm, gcn, gp, .*linear, lookup"):
        fit(TABLE, "forest")
    assert set(KINDS) < set(kinds())
    with pytest.raises(ValueError, match="exists already"):
        register(predictor_class("gbm"))


@pytest.mark.parametrize("kind, fewest", [("linear", 4), ("gbm", 10), ("lookup", 2), ("gp", 5)])
def test_too_few_networks(kind, fewest):
    with pytest.raises(ValueError, match=f"at least {fewest} measured networks, not {fewest - 1}"):
        fit(table_of(ARCHITECTURES[: fewest - 1]), kind, networks=ARCHITECTURES)
    assert fit(table_of(ARCHITECTURES[:fewest]), kind, networks=ARCHITECTURES).held_out is None


def test_lookup_without_whole_networks_is_the_plain_sum(tmp_path):
    blocks = LatencyTable(TABLE.meta, {e.key: e for e in TABLE.blocks})
    predictor = fit(blocks, "lookup")
    network = ARCHITECTURES[0].network
    expected = sum(TABLE[block.key].latency_ms for _, block in network.blocks())
    assert predictor.predict([network])[0] == pytest.approx(expected)
    assert predictor.held_out is None
    predictor.save(tmp_path)
    assert FittedPredictor.load(tmp_path).held_out is None


def test_lookup_names_blocks_that_failed_or_are_missing():
    entries = dict(TABLE.entries)
    gone = TABLE.blocks[0]
    entries[gone.key] = failed_entry(gone.key, "block", gone.name, "no such operator")
    with pytest.raises(MissingBlockError, match="failed: no such operator"):
        fit(LatencyTable(TABLE.meta, entries), "lookup")
    del entries[gone.key]
    with pytest.raises(MissingBlockError, match=f"{gone.key} was not measured"):
        fit(LatencyTable(TABLE.meta, entries), "lookup")
    with pytest.raises(ValueError, match="no measured blocks"):
        fit(table_of(ARCHITECTURES[:5], blocks=False), "lookup")


def test_failed_networks_are_left_out():
    entries = dict(TABLE.entries)
    first = TABLE.networks[0]
    entries[first.key] = failed_entry(first.key, "network", first.name, "too large", blocks=first.blocks)
    assert fit(LatencyTable(TABLE.meta, entries), "linear", networks=ARCHITECTURES).card.networks == 39


@pytest.mark.parametrize("bad", [0.0, -5.0, math.nan])
def test_a_latency_that_is_none_is_refused_by_name(bad):
    first = TABLE.networks[0]
    broken = replace(first)
    object.__setattr__(broken, "p10_us", bad)
    table = LatencyTable(TABLE.meta, {**TABLE.entries, first.key: broken})
    with pytest.raises(ValueError, match=first.key):
        fit(table, "linear", networks=ARCHITECTURES)


def test_another_device_is_refused_by_field(fitted):
    predictor = fitted["lookup"]
    predictor.check_device(IDENTITY)
    other = replace(IDENTITY, device=replace(IDENTITY.device, threads=2))
    with pytest.raises(ValueError, match=r"device\.threads: 1, not 2"):
        predictor.check_device(other)


def test_the_seed_decides_the_folds():
    errors = [fit(TABLE, "lookup", seed=seed).held_out for seed in (0, 0, 1)]
    assert errors[0] == errors[1] != errors[2]


# --- damaged folders


@pytest.mark.parametrize("field, value", [
    ("schema_version", 1), ("kind", "forest"), ("table_id", "12"), ("networks", "many"), ("networks", -1),
    ("identity", {}), ("feature_version", 99), ("held_out", {"n": 1}), ("arrays_sha256", "0"), ("extra", 1),
    ("space", "a\x1b[2J"), ("space", "a" * 20_000),
    ("calibration", {"scores": [2.0, 1.0, 3.0]}), ("calibration", {"scores": [1.0]}), ("sentinels", {"a": -1.0}),
])  # fmt: skip
def test_a_damaged_card_is_refused_by_field(fitted, tmp_path, field, value):
    fitted["linear"].save(tmp_path)
    path = tmp_path / "predictor.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ValueError, match=rf"predictor\.json.*{field}"):
        FittedPredictor.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_card_that_is_no_json_object_is_refused(fitted, tmp_path, text):
    fitted["linear"].save(tmp_path)
    (tmp_path / "predictor.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"predictor\.json"):
        FittedPredictor.load(tmp_path)


def test_cut_off_arrays_are_refused(fitted, tmp_path):
    fitted["gbm"].save(tmp_path)
    path = tmp_path / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"arrays\.npz"):
        FittedPredictor.load(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        FittedPredictor.load(tmp_path)


@pytest.mark.parametrize("name", ["predictor.json", "arrays.npz"])
def test_links_and_pipes_are_not_read(fitted, tmp_path, name):
    fitted["linear"].save(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{name} is a link"):
        FittedPredictor.load(tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        FittedPredictor.load(tmp_path)


def test_the_names_of_a_saved_predictor_are_durable(fitted, tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        "os.fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
    )
    fitted["linear"].save(tmp_path)
    assert len(synced) == 3 and synced[-1] == tmp_path


def test_a_table_may_know_its_space():
    table = LatencyTable(replace(TABLE.meta, space=SPACE_TEXT), TABLE.entries)
    assert fit(table, "linear").card.space == SPACE_TEXT


def test_a_space_of_somebodys_own_must_be_named_by_the_person_not_by_the_table():

    named = LatencyTable(replace(TABLE.meta, space="evil_module:Space"), TABLE.entries)
    with pytest.raises(ValueError, match="not one of hwnas's own"):
        fit(named, "linear")
    assert fit(named, "linear", space=SPACE).kind == "linear"


def test_a_table_in_other_units_is_refused():
    entries = {
        key: replace(entry, **{name: getattr(entry, name) * 1e-6 for name in TIMES})
        for key, entry in TABLE.entries.items()
    }
    with pytest.raises(ValueError, match="implausible"):
        fit(LatencyTable(TABLE.meta, entries), "linear", space=SPACE)


TIMES = ("min_us", "p10_us", "p50_us", "p90_us", "mean_us")
