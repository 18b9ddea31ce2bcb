import warnings

import numpy as np
import pytest

from hwnas.latency.instructions.predictor import InstructionPredictor, board_predictor
from hwnas.latency.predictors import UnseenLayersWarning, predictor_class
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from hwnas.network import Builder
from tests.cli.test_cli import as_json, hwnas

from . import nets

pytestmark = pytest.mark.filterwarnings("ignore::hwnas.latency.predictors.UnseenLayersWarning")

NETWORKS = [nets.resnet8(), nets.mobilenet_v1(), nets.ds_cnn()]
PUBLISHED_MS = {  # MLPerf Tiny v1.0, OctoML microTVM + CMSIS-NN: ic, vww, kws
    "nucleo-l4r5zi": [389.56, 301.20, 99.81],
    "nrf5340-dk": [316.16, 232.02, 76.09],
}


@pytest.mark.parametrize("board", PUBLISHED_MS)
def test_published_latencies_of_boards(board):
    np.testing.assert_allclose(board_predictor(board).predict(NETWORKS), PUBLISHED_MS[board], rtol=0.05)


def test_fit_finds_the_constant_of_a_board():
    predictor = InstructionPredictor()
    with pytest.raises(RuntimeError, match="not fitted"):
        predictor.predict(NETWORKS)
    predictor.fit(NETWORKS[:1], np.array([389.56]))
    assert predictor.ns_per_instruction == pytest.approx(13.0, rel=0.01)
    np.testing.assert_allclose(predictor.predict(NETWORKS), PUBLISHED_MS["nucleo-l4r5zi"], rtol=0.06)
    with pytest.raises(ValueError, match="at least 1 measured networks, not 0"):
        predictor.fit([], np.zeros(0))


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
    with pytest.raises(ValueError, match="no board 'esp32' in cortex-m7-cmsisnn; known: nucleo-l4r5zi"):
        board_predictor("esp32")
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
