from dataclasses import replace

import numpy as np
import pytest

from hwnas.latency import LatencyTable, device, few_shot, fit, measure
from hwnas.latency.predictors.validate import mape
from hwnas.latency.transfer.few_shot import check_others, chosen, reference
from hwnas.latency.transfer.population import architectures
from hwnas.spaces import MobileNetV2, NASBench201
from tests.latency.helpers import FAST
from tests.latency.predictors.synthetic import IDENTITY, SPACE, network_ms, table_of

SMALL = MobileNetV2(resolution=32, classes=10, width=0.35, depths=(-1, 0), widths=(1.0,))


def test_the_population_of_a_small_space_is_all_of_it():
    small = MobileNetV2(resolution=32, kernels=(3,), expansions=(6,), depths=(-1, 0), widths=(1.0,))
    assert len(architectures(small)) == small.size < 1000
    assert len(architectures(NASBench201())) == 1000


def test_designed_and_validated_architectures_are_different():
    designed, others = chosen(SPACE, n=8, validate_on=6)
    assert len({*designed, *others}) == 14
    assert chosen(SPACE, n=8, validate_on=6) == (designed, others)
    assert chosen(SPACE, n=8, validate_on=6, seed=1)[0] == designed
    assert chosen(SPACE, n=8, validate_on=6, seed=1)[1] != others


def test_no_two_of_them_are_the_same_network():
    """Of NAS-Bench-201's cells two in three are isomorphic to another."""
    designed, others = chosen(NASBench201(channels=4, cells=1), n=20, validate_on=30)
    assert len({architecture.network.key for architecture in (*designed, *others)}) == 50


def test_the_card_names_the_table_that_is_kept(tmp_path):
    made = few_shot(
        SMALL, device("ort-cpu", protocol=FAST), [], n=5, validate_on=2, folder=tmp_path / "table"
    )
    assert made.predictor.card.table_id == LatencyTable.load(tmp_path / "table").table_id
    assert made.predictor.card.networks == 5


def test_more_networks_than_there_are_cannot_be_chosen():
    with pytest.raises(ValueError, match="990 networks to fit on and 20 to validate on cannot be chosen"):
        chosen(SPACE, n=990, validate_on=20)


def test_a_reference_is_the_look_up_where_the_table_has_all_blocks():
    with_blocks = table_of(SPACE.sample(400, seed=0))
    assert reference(with_blocks, SPACE).kind == "lookup"
    assert reference(table_of(SPACE.sample(20, seed=0)), SPACE).kind == "gp"
    assert reference(table_of(SPACE.sample(20, seed=0), blocks=False), SPACE).kind == "gp"


def test_fit_of_kind_transfer_learns_from_references():
    designed, others = chosen(SPACE, n=6, validate_on=40)
    known = fit(table_of(SPACE.sample(60, seed=1), scale=3.0), "linear", space=SPACE)
    target = table_of(designed, blocks=False, noise=0.01)
    networks = [architecture.network for architecture in others]
    expected = np.array([network_ms(network) for network in networks])
    errors = [
        mape(fit(target, "transfer", space=SPACE, references=given).predict(networks), expected)
        for given in ([], [known])
    ]
    assert errors[1] < errors[0]
    assert errors[1] < 0.03


def test_references_are_for_the_kind_transfer_only():
    table = table_of(SPACE.sample(12, seed=0))
    known = fit(table, "linear", space=SPACE)
    with pytest.raises(ValueError, match="fit kind 'transfer'"):
        fit(table, "linear", space=SPACE, references=[known])


def test_intervals_come_from_the_posterior():
    found = fit(table_of(SPACE.sample(20, seed=0), noise=0.02), "transfer", space=SPACE)
    assert found.card.calibration is not None
    assert found.card.calibration.method(0.9) == "posterior"
    networks = [architecture.network for architecture in SPACE.sample(200, seed=5)]
    low, high = found.interval(networks)
    measured = np.array([network_ms(network) for network in networks])
    assert np.mean((low <= measured) & (measured <= high)) > 0.85
    assert (found.upper(networks) > found.predict(networks)).all()


def test_a_new_device_is_designed_measured_fitted_and_validated(tmp_path):
    known = measure(
        SMALL.sample(12, seed=0),
        device("ort-cpu", level="basic", protocol=FAST),
        blocks=False,
        space=str(SMALL),
    )
    on = device("ort-cpu", protocol=FAST)
    lines = []
    arguments = {"n": 6, "validate_on": 3, "folder": tmp_path / "table"}
    made = few_shot(SMALL, on, [known], progress=lines.append, **arguments)
    assert len(made.table.networks) == 9
    assert made.predictor.kind == "transfer"
    assert made.predictor.card.networks == 6
    assert made.predictor.held_out is not None
    assert made.predictor.held_out.n == 3
    assert made.predictor.card.identity == on.identity()
    assert LatencyTable.load(tmp_path / "table").table_id == made.table.table_id
    lines.clear()
    again = few_shot(SMALL, on, [known], progress=lines.append, **arguments)
    assert [line.message for line in lines] == ["done"]
    networks = [architecture.network for architecture in SMALL.sample(5, seed=9)]
    assert again.predictor.predict(networks) == pytest.approx(made.predictor.predict(networks))


def test_too_few_measurements_are_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match="n is 3; a transfer predictor needs at least 5"):
        few_shot(SMALL, device("ort-cpu", protocol=FAST), [], n=3, folder=tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_tables_of_the_new_device_itself_and_repeated_ones_are_refused():
    known = table_of(SPACE.sample(12, seed=0))
    other = replace(IDENTITY, device=replace(IDENTITY.device, model="another"))
    check_others([known], other)
    with pytest.raises(ValueError, match="of the new device itself"):
        check_others([known], IDENTITY)
    with pytest.raises(ValueError, match="given twice"):
        check_others([known, known], other)


def test_a_transfer_predictor_speaks_for_its_space_only():
    found = fit(table_of(SPACE.sample(12, seed=0)), "transfer", space=SPACE)
    found.check_space(str(SPACE))
    with pytest.raises(ValueError, match="is of space mobilenetv2"):
        found.check_space("nasbench201")
