"""Boards and limits."""

from pathlib import Path
from typing import Any

import pytest

from hwnas.cost.boards import COLUMNS, Board, Limits, board, boards, limits, read_boards

HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("name", "sram", "flash"),
    [
        ("stm32f412", 256, 1024),
        ("stm32f746", 320, 1024),
        ("stm32f765", 512, 1024),
        ("stm32h743", 512, 2048),
    ],
)
def test_boards_of_mcunet(name: str, sram: int, flash: int) -> None:
    """Lin et al., MCUNet, NeurIPS 2020, section 4.1."""
    assert (board(name).sram_bytes, board(name).flash_bytes) == (1024 * sram, 1024 * flash)


def test_every_board_has_figures_and_a_source() -> None:
    assert len(boards()) >= 15
    for name, one in boards().items():
        assert name == one.name
        assert one.sram_bytes <= one.flash_bytes
        assert len(one.source) > 15
        assert 48 <= one.clock_mhz <= 1000


def test_names_in_any_case() -> None:
    assert board(" STM32F746 ") is board("stm32f746")


def test_unknown_board_names_near_ones_and_all() -> None:
    with pytest.raises(ValueError, match=r"did you mean stm32f746.*known: arduino-nano-33-ble, .*teensy"):
        board("stm32f747")
    with pytest.raises(ValueError, match=r"no board is called 'zx81' \(known"):
        board("zx81")


def test_limits_of_a_board_and_of_amounts() -> None:
    assert limits() == Limits(None, None)
    assert limits("stm32f746") == Limits(320 * 1024, 1024**2)
    assert limits(board("stm32f746"), flash="512kB") == Limits(320 * 1024, 512 * 1024)
    assert limits(sram="320kB", flash="1MB") == Limits(320 * 1024, 1024**2)
    assert limits(sram="320 KiB") == Limits(320 * 1024, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("320", "give a unit, such as 320kB .kB is 1024 bytes"),
        ("-320kB", "not a positive number"),
        ("0kB", "not a positive number"),
        ("nan", "not a number"),
        ("nankB", "not a number"),
        ("1e999kB", "not finite"),
        ("320ms", "does not fit"),
        ("", "not a number"),
    ],
)
def test_amounts_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        limits(sram=text)
    with pytest.raises(ValueError, match=message):
        limits("stm32f746", flash=text)


def test_own_boards(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}\nmine,Cortex-M4,80,96,512,a datasheet\n")
    assert read_boards(path) == {"mine": Board("mine", "Cortex-M4", 80, 96 * 1024, 512 * 1024, "a datasheet")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "columns"),
        ("board,core\n", "columns"),
        (f"{HEADER}\nmine,M4,80,96\n", "row 1: 4 fields"),
        (f"{HEADER}\nmine,M4,80,-96,512,s\n", "row 1: field 'sram_kb' is '-96'"),
        (f"{HEADER}\nmine,M4,nan,96,512,s\n", "row 1: field 'clock_mhz'"),
        (f"{HEADER}\nmine,M4,80,96,99999999999999,s\n", "row 1: field 'flash_kb'"),
        (f"{HEADER}\nmine,M4,80,96,0,s\n", "row 1: field 'flash_kb'"),
        (f"{HEADER}\nmine,M4,80,96,512,\n", "printable"),
        (f"{HEADER}\nMine,M4,80,96,512,s\n", "lower case"),
        (f"{HEADER}\nmine,M4,80,96,512,s\nmine,M4,80,96,512,s\n", "row 2: board mine occurs twice"),
        (f'{HEADER}\n"mine', "not CSV"),
    ],
)
def test_files_that_hold_no_boards(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "boards.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_boards(path)


def test_links_and_large_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text("x" * (1 << 20) + "x")
    with pytest.raises(ValueError, match="more than"):
        read_boards(tmp_path / "large.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "large.csv")
    with pytest.raises(ValueError, match="link"):
        read_boards(tmp_path / "link.csv")


def test_limits_in_bytes() -> None:
    assert limits(sram=327_680, flash=1) == Limits(327_680, 1)


@pytest.mark.parametrize("given", [0, -1, True, 1.5, b"320kB", ["320kB"]])
def test_what_is_no_amount(given: Any) -> None:
    for name in ("sram", "flash"):
        with pytest.raises(ValueError, match=f"{name} must be an amount"):
            limits(**{name: given})


def test_what_is_no_board() -> None:
    with pytest.raises(ValueError, match="board must be a name or a Board, not 5"):
        limits(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["320kb", "1k"])
def test_a_unit_that_is_near(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not fit; did you mean kB\?"):
        limits(sram=text)
