import pytest
import torch

from hwnas.differentiable import memory


def test_a_process_never_takes_back_what_it_held_at_most():
    cpu = torch.device("cpu")
    before = memory.peak_bytes(cpu)
    held = torch.ones(before // 8 + (1 << 24))
    assert memory.peak_bytes(cpu) > before
    after = memory.peak_bytes(cpu)
    del held
    memory.restart(cpu)
    assert memory.peak_bytes(cpu) >= after


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_counts_from_the_restart():
    gpu = torch.device("cuda")
    del_me = torch.ones(1 << 24, device=gpu)
    del del_me
    memory.restart(gpu)
    assert memory.peak_bytes(gpu) < 4 << 24
    torch.ones(1 << 24, device=gpu)
    assert memory.peak_bytes(gpu) >= 4 << 24
