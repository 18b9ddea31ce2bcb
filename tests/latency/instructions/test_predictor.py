import warnings

import numpy as np
import pytest

from hwnas.cost import board
from hwnas.latency.instructions.predictor import InstructionPredictor, board_predictor
from hwnas.latency.predictors import UnseenLayersWarning, predictor_class
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from hwnas.network import Builder
from tests.cli.program import as_json, hwnas

from . import nets

pytestmark = pytest.mark.filterwarnings("ignore::hwnas.latency.predictors.UnseenLayersWarning")

NETWORKS = [nets.resnet8(), nets.mobilenet_v1(), nets.ds_cnn()]
PUBLISHED_MS = {  # MLPerf Tiny v1.0, OctoML microTVM + CMSIS-NN: ic, vww, kws
    "stm32l4r5": [389.56, 301.20, 99.81],
    "nrf5340": [316.16, 232.02, 76.09],
}


@pytest.mark.parametrize("name", PUBLISHED_MS)
def test_published_latencies_of_boards(name):
    np.testing.assert_allclose(board_predictor(name).predict(NETWORKS), PUBLISHED_MS[name], rtol=0.05)


def test_fit_finds_the_constant_of_a_board():
    predictor = InstructionPredictor()
    with pytest.raises(RuntimeError, match="not fitted"):
        predictor.predict(NETWORKS)
    predictor.fit(NETWORKS[:1], np.array([389.56]))
    assert predictor.ns_per_instruction == pytest.approx(13.0, rel=0.01)
    np.testing.assert_allclose(predictor.predict(NETWORKS), PUBLISHED_MS["stm32l4r5"], rtol=0.06)
    with pytest.raises(ValueError, match="at least 1 measured networks, not 0"):
        predictor.fit([], np.zeros(0))


def test_a_predictor_knows_its_board_until_it_is_fitted():
    predictor = board_predictor(" STM32F746 ")
    assert predictor.board.board is board("stm32f746") and predictor.board.is_estimated
    assert predictor.label == "instructions of cortex-m7-cmsisnn:stm32f746, 3.868 ns each"
    assert not board_predictor("stm32h743").board.is_estimated
    predictor.fit(NETWORKS[:1], np.array([389.56]))
    assert predictor.board is None and "stm32f746" not in predictor.label


def test_save_load_and_damage(tmp_path):
    predictor = board_predictor("stm32h743")
    predictor.save(tmp_path)
    loaded = predictor_class("instructions").load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(NETWORKS), predictor.predict(NETWORKS))
    assert loaded.table == predictor.table
    good = dict(read_arrays(tmp_path / "arrays.npz").by_name)
    for name, bad in [
        ("ns_per_instruction", [0.0]),
        ("coefficients_conv1", [1.0, -1, 0, 0, 0, 0, 0]),
        ("coefficients_add", [1.0]),
    ]:
        write_arrays(tmp_path / "arrays.npz", {**good, name: np.array(bad)})
        with pytest.raises(ValueError, match=rf"arrays\.npz: field '{name}'"):
            predictor_class("instructions").load(tmp_path)


def test_unknown_boards_tables_and_constants():
    with pytest.raises(
        ValueError, match="no board 'esp32' in cortex-m7-cmsisnn; boards that have one: stm32l4r5"
    ):
        board_predictor("esp32")
    with pytest.raises(
        ValueError, match=r"rp2040 \(Cortex-M0\+\) has no timing constant in cortex-m7-cmsisnn; .*f746"
    ):
        board_predictor("rp2040")
    with pytest.raises(
        ValueError, match="cortex-m7-cmsisnn needs a board: cortex-m7-cmsisnn:stm32l4r5, cort"
    ):
        board_predictor("")
    with pytest.raises(ValueError, match="no instruction table 'cortex-m0'"):
        board_predictor("stm32h743", "cortex-m0")
    with pytest.raises(ValueError, match="ns_per_instruction is -1"):
        InstructionPredictor(ns_per_instruction=-1)


def test_predicting_on_the_command_line(tmp_path):
    space = ["--space", "mobilenetv2:resolution=32,classes=10", "--samples", 2]
    found = as_json("predict", "cortex-m7-cmsisnn:stm32h743", *space, cwd=tmp_path)
    assert all(1 < row["latency_ms"] < 10_000 for row in found)
    assert "no board 'f4'" in hwnas("predict", "cortex-m7-cmsisnn:f4", *space, cwd=tmp_path, code=2)


def test_windows_that_were_not_counted_are_said():
    predictor = board_predictor("stm32h743")
    with pytest.warns(UnseenLayersWarning, match=r"1 of 2 networks .*\(conv 10×4\)"):
        predictor.predict([nets.ds_cnn(), nets.autoencoder()])
    b = Builder()
    x = b.conv(b.conv(b.input(3, 12, 12), 4, kernel=3), 4)
    counted = b.build(
        b.average_pool(
            b.max_pool(b.depthwise(x, kernel=7), kernel=2, stride=2, padding=0), kernel=3, padding=0
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictor.predict([counted])


def test_what_has_no_constant_is_not_saved(tmp_path):
    with pytest.raises(RuntimeError, match="not fitted"):
        InstructionPredictor().save(tmp_path)
