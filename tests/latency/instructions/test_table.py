import os
import shutil

import pytest

from hwnas.cost import boards
from hwnas.latency.instructions.constants import board_constants
from hwnas.latency.instructions.operators import TERMS
from hwnas.latency.instructions.shipped import shipped
from hwnas.latency.instructions.table import InstructionTable

FILES = ("ops.csv", "ops_other.csv", "ops_loops.csv", "constants.csv")


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        shutil.copy(shipped() / name, tmp_path)
    return tmp_path


def edited(folder, name, row, column, text):
    lines = (folder / name).read_text().splitlines()
    cells = lines[row].split(",")
    cells[lines[0].split(",").index(column)] = text
    lines[row] = ",".join(cells)
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def test_the_fits_are_as_good_as_stated():
    formulas = InstructionTable.load(shipped()).formulas
    assert set(formulas) == set(TERMS)
    assert sum(formula.operators for formula in formulas.values()) == 315 + 113 + 53
    for kind, formula in formulas.items():
        assert 0 <= formula.mean_error <= formula.largest_error < 0.08, kind
    for kind in ("conv1", "conv", "depthwise3", "depthwise", "average_pool", "max_pool"):
        assert formulas[kind].largest_error < 0.02, kind
        assert min(formula.coefficients) >= 0
    assert formulas["add"].largest_error < 1e-3 and formulas["fully_connected"].largest_error < 1e-3
    assert formulas["conv"].mean_error < 0.002


@pytest.mark.parametrize("text", ["-5", "0", "", "1e9", "many", "9" * 40, "1.5", "٣"])
@pytest.mark.parametrize("column", ["insn", "macs", "h"])
def test_a_count_that_is_none_is_refused_by_row_and_field(folder, column, text):
    with pytest.raises(ValueError, match=rf"ops\.csv: row 3: field '{column}'"):
        InstructionTable.load(edited(folder, "ops.csv", 3, column, text))


def test_kinds_duplicates_and_missing_classes(folder):
    path = folder / "ops.csv"
    good = path.read_text()
    path.write_text(good + good.splitlines()[1] + "\n")
    with pytest.raises(ValueError, match="row 316: conv1 6 8 8 1 6 occurs twice"):
        InstructionTable.load(folder)
    path.write_text("\n".join(line for line in good.splitlines() if not line.startswith("dw3")))
    with pytest.raises(ValueError, match="0 operators of class depthwise3; its formula needs at least 5"):
        InstructionTable.load(folder)
    path.write_text(good)
    with pytest.raises(ValueError, match=r"field 'kind': 'conv9' is none of conv1, conv3"):
        InstructionTable.load(edited(folder, "ops.csv", 2, "kind", "conv9"))


def test_files_that_are_no_tables(folder):
    (folder / "ops.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        InstructionTable.load(folder)
    (folder / "ops.csv").write_bytes(b"0" * (1 << 23))
    with pytest.raises(ValueError, match="bytes are more than"):
        InstructionTable.load(folder)
    (folder / "ops.csv").unlink()
    with pytest.raises(FileNotFoundError):
        InstructionTable.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_links_and_pipes_are_not_read(folder, name):
    def load():
        return board_constants(folder) if name == "constants.csv" else InstructionTable.load(folder)

    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{name} is a link"):
        load()
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        load()


def test_boards_state_their_source_and_whether_they_were_published():
    known = board_constants(shipped())
    published = {name for name, one in known.items() if not one.is_estimated}
    assert published == {"stm32h743", "stm32l4r5", "nrf5340"}
    assert all(one.source.startswith("estimate: ") == one.is_estimated for one in known.values())
    assert {"stm32f412", "stm32f746", "stm32f765", "rp2350"} <= set(known)
    cycles = {name: one.ns_per_instruction * one.board.clock_mhz / 1000 for name, one in known.items()}
    assert all(0.7 < value < 1.7 for value in cycles.values()), cycles


def test_the_boards_are_those_of_the_one_list():
    known = board_constants(shipped())
    assert all(one.board is boards()[name] for name, one in known.items())
    assert {
        name for name, one in boards().items() if one.core in ("Cortex-M4", "Cortex-M7", "Cortex-M33")
    } == set(known)


def test_a_board_that_is_not_in_the_list_is_refused(folder):
    with pytest.raises(
        ValueError, match=r"constants\.csv: row 1: field 'board' is 'zx81', which is not in the"
    ):
        board_constants(edited(folder, "constants.csv", 1, "board", "zx81"))


@pytest.mark.parametrize("text", ["-1", "0", "nan", "inf", "fast", ""])
def test_a_constant_that_is_none_is_refused(folder, text):
    with pytest.raises(ValueError, match=r"constants\.csv: row 2: field 'ns_per_instruction'"):
        board_constants(edited(folder, "constants.csv", 2, "ns_per_instruction", text))


def test_whether_a_board_is_estimated_is_yes_or_no(folder):
    with pytest.raises(ValueError, match=r"row 3: field 'is_estimated' is 'perhaps'; it must be yes or no"):
        board_constants(edited(folder, "constants.csv", 3, "is_estimated", "perhaps"))


def test_boards_twice_and_other_columns(folder):
    path = folder / "constants.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(ValueError, match="board stm32l4r5 occurs twice"):
        board_constants(folder)
    path.write_text("\n".join(["name,ns", *lines[1:]]))
    with pytest.raises(ValueError, match="the columns are"):
        board_constants(folder)
