"""The runner is one file, made of our own modules, that needs numpy and onnxruntime only."""

import ast
import io
import os
import subprocess
import sys
import textwrap
import zipfile

from hwnas.latency.remote.closure import ROOT, closure, imports
from hwnas.latency.remote.zipapp import ROOTS, START, runner_digest, runner_pyz


def names() -> list[str]:
    return zipfile.ZipFile(io.BytesIO(runner_pyz())).namelist()


def test_equal_sources_make_equal_bytes():
    code = "from hwnas.latency.remote.zipapp import runner_digest; print(runner_digest())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert out.stdout.decode().strip() == runner_digest()


def test_the_files_are_ours_and_the_two_heavy_packages_are_empty():
    with zipfile.ZipFile(io.BytesIO(runner_pyz())) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name in ("hwnas/__init__.py", "hwnas/latency/__init__.py"):
                assert content == b""
            elif name != "__main__.py":
                assert content == (ROOT.parent / name).read_bytes()


def test_what_measures_here_is_inside_and_the_rest_is_not():
    inside = set(names())
    for part in (
        "timing/worker",
        "timing/protocol",
        "measuring/campaign",
        "measuring/journal",
        "tables/entry",
    ):
        assert f"hwnas/latency/{part}.py" in inside
    packages = {name.split("/")[1] for name in inside if name.count("/") > 1}
    assert packages == {"latency"}
    assert not [name for name in inside if "predictors" in name or "remote/ssh" in name]


def test_modules_import_numpy_and_the_standard_library_when_they_are_loaded():
    allowed = {*sys.stdlib_module_names, "numpy", "hwnas"}
    for name, path in closure(*ROOTS).items():
        for node in ast.parse(path.read_text()).body:
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            if name not in ("hwnas", "hwnas.latency"):
                assert {module.split(".")[0] for module in found} <= allowed, name


def test_imports_of_functions_count_and_those_for_types_do_not(tmp_path):
    source = """
        from a.b import c
        if TYPE_CHECKING:
            import types_only
        else:
            import instead
        def function():
            import deferred
    """
    (tmp_path / "module.py").write_text(textwrap.dedent(source))
    assert set(imports(tmp_path / "module.py")) == {"a.b", "a.b.c", "instead", "deferred"}


def test_closure_follows_imports_and_stays_in_hwnas():
    found = closure("hwnas.latency.measuring.networks")
    assert {"hwnas.cost", "hwnas.network.to_onnx", "hwnas.latency.tables.entry"} <= found.keys()
    assert "hwnas.network.key" not in closure("hwnas.latency.timing.protocol")
    assert closure("numpy") == {}


def run(python, tmp_path, *arguments):
    (tmp_path / "runner.pyz").write_bytes(runner_pyz())
    return subprocess.run(
        [python, tmp_path / "runner.pyz", *arguments], capture_output=True, text=True, check=False
    )


def test_a_missing_package_is_one_line(tmp_path, empty_python):
    done = run(empty_python, tmp_path)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "needs numpy" in done.stderr and "pip install numpy onnxruntime" in done.stderr


def test_the_start_parses_under_old_pythons_and_refuses_them_in_one_line(tmp_path):
    source = closure(START)[START].read_text()
    ast.parse(source, feature_version=(3, 6))
    (tmp_path / "runner.pyz").write_bytes(runner_pyz())
    code = (
        "import sys, runpy; sys.version_info = (3, 8, 2)\n"
        f"runpy.run_path({str(tmp_path / 'runner.pyz')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines() == ["the runner needs Python 3.10 or later, not 3.8"]


def test_a_folder_without_a_bundle_is_one_line(tmp_path, bare_python):
    done = run(bare_python, tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path}/manifest.json: No such file or directory\n"
