"""What the torch backend runs is the ONNX model: same weights, same outputs, asked precision and layout."""

import numpy as np
import onnxruntime
import pytest
import torch

from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.timing.torch_backend import TorchBackend, input_shapes, set_weights
from hwnas.network.to_onnx import to_onnx
from hwnas.spaces import space

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"


def config(**changes):
    options = {"layout": changes.pop("layout", "channels_first"), "compile": "False"}
    return {"threads": 1, "precision": "float32", "options": options, **changes}


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_outputs_are_those_of_the_file(batch, layout):
    model = to_onnx(space("nasbench201").parse(CELL).network, batch=batch).SerializeToString()
    call = TorchBackend(config(layout=layout)).load(model)
    module, (x,) = call.args
    assert x.shape == (batch, 3, 32, 32)
    expected = onnxruntime.InferenceSession(model).run(None, {"input": x.contiguous().numpy()})[0]
    np.testing.assert_allclose(call().numpy(), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert not module.training and not call().requires_grad


def test_precision_and_layout_reach_weights_and_inputs():
    model = sentinels()["sentinel-dense"]
    module, (x,) = TorchBackend(config(precision="bfloat16", layout="channels_last")).load(model).args
    weights = list(module.parameters())
    assert weights and all(w.dtype == torch.bfloat16 for w in weights) and x.dtype == torch.bfloat16
    assert all(t.is_contiguous(memory_format=torch.channels_last) for t in (x, *weights) if t.dim() == 4)


def test_inputs_are_the_same_each_time():
    model = sentinels()["sentinel-dense"]
    first, second = (TorchBackend(config()).load(model).args[1][0] for _ in range(2))
    assert torch.equal(first, second) and first.std() > 0.5


def test_a_free_batch_is_refused():
    model = to_onnx(space("nasbench201").parse(CELL).network, batch=None).SerializeToString()
    with pytest.raises(ValueError, match=r"'input' has shape .* static sizes are needed"):
        input_shapes(model)


def test_weights_without_a_place_are_refused():
    module = torch.nn.Sequential(torch.nn.Linear(2, 1))
    weights = {"0.weight": np.ones((1, 2), np.float32), "1.weight": np.ones((1, 1), np.float32)}
    with pytest.raises(ValueError, match=r"no parameters for the weights 1\.weight"):
        set_weights(module, weights)
