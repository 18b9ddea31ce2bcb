"""What can be known of the GPU backend without a GPU: its providers, and that a silent fallback is refused."""

import onnxruntime
import pytest

from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.timing.onnxruntime_gpu_backend import OnnxruntimeGpuBackend, providers


def test_providers_share_the_stream_and_tensorrt_leaves_the_rest_to_cuda():
    ((name, options),) = providers("CUDAExecutionProvider", "float32", 77)
    assert name == "CUDAExecutionProvider" and options["user_compute_stream"] == "77"
    first, second = providers("TensorrtExecutionProvider", "float16", 77)
    assert first[0] == "TensorrtExecutionProvider" and first[1]["trt_fp16_enable"] == "1"
    assert second[0] == "CUDAExecutionProvider" and second[1]["user_compute_stream"] == "77"
    assert providers("TensorrtExecutionProvider", "float32", 0)[0][1]["trt_fp16_enable"] == "0"


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_falling_back_to_the_processor_is_an_error():
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime has the provider here")
    backend = object.__new__(OnnxruntimeGpuBackend)
    backend._ort = onnxruntime
    backend._providers = [("CUDAExecutionProvider", {})]
    with pytest.raises(
        RuntimeError, match="CUDAExecutionProvider does not start; onnxruntime fell back to CPU"
    ):
        backend.session(sentinels()["sentinel-dense"], None)
