"""The script that searches on images writes its page, at the smallest size."""

import numpy as np

from benchmarks import real_search
from hwnas import search

SMALL = "mobilenetv2:resolution=32,classes=10,width={width},kernels=(3,),expansions=(3,),depths=(-1,2),widths=(0.5,2)"


def test_the_chain_ends_in_a_page_with_the_verified_candidate(tmp_path, monkeypatch):
    monkeypatch.setattr(real_search, "SPACE", SMALL)
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    np.savez("images.npz", images=images, labels=np.arange(60) % 10)
    words = "--data images.npz --folder here --width 0.25 --budget-ms 50 --trainings 3 --epochs 9 --images 40 --docs ."
    real_search.main(words.split())
    record = search.load(tmp_path / "here" / "run").record
    best = record.candidates[record.winner]
    page = (tmp_path / "cifar10_search.md").read_text()
    assert f"The answer: `{best.architecture}`" in page
    assert f"| accuracy |  | {best.measured['accuracy']:.3g} |" in page
    assert f"| {best.predicted['latency_ms']:.3g} | {best.measured['latency_ms']:.3g} |" in page
    assert "hwnas search --space 'mobilenetv2:" in page and "'latency_ms <= 50.0ms'" in page
    assert (tmp_path / "cifar10_search.png").read_bytes().startswith(b"\x89PNG")
