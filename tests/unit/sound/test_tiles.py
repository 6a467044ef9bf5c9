"""Where tiles lie, and how large they are."""

from __future__ import annotations

import pytest
import torch

from acestep_core.sound.tiles import LEAST, ON_CPU, WHOLE, Landing, Tiles, around, spans

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("length", "core", "expected"),
    [
        (5, 2, [(0, 1), (1, 3), (3, 5)]),
        (4, 2, [(0, 2), (2, 4)]),
        (3, None, [(0, 3)]),
        (1, 128, [(0, 1)]),
        (645, 256, [(0, 215), (215, 430), (430, 645)]),
        (0, None, []),
    ],
)
def test_spans_cover_the_length(length: int, core: int | None, expected: list[object]) -> None:
    assert spans(length, core) == expected


def test_around_stays_inside() -> None:
    assert around((2, 4), 3, 20) == (slice(0, 7), slice(2, 4))
    assert around((10, 12), 3, 13) == (slice(7, 13), slice(3, 5))


def test_tiles_shrink_with_the_room_and_no_further_than_is_sensible() -> None:
    assert Tiles(128).within(128 * 10, 10) == Tiles(128)
    assert Tiles(128).within(128 * 10 - 1, 10) == Tiles(64)
    assert Tiles(128).within(0, 10) == Tiles(LEAST)
    assert Tiles(8).within(0, 10) == Tiles(8)  # what was asked for is never made larger
    assert Tiles(128).within(None, 10) == Tiles(128)
    assert WHOLE.within(0, 10) is WHOLE


def test_a_cpu_takes_small_tiles_and_a_card_what_was_asked_for() -> None:
    cuda = torch.device("cuda")
    assert Tiles(1000).on(CPU) == Tiles(ON_CPU)
    assert Tiles(8).on(CPU) == Tiles(8)
    assert Tiles(1000).on(cuda) == Tiles(1000)
    assert WHOLE.on(CPU) is WHOLE


def test_pieces_land_where_they_belong() -> None:
    landing = Landing(2, 5, CPU)
    landing.put(2, torch.full((2, 3), 2.0, dtype=torch.bfloat16))
    landing.put(0, torch.tensor([[0.0, 1.0], [5.0, 6.0]]))
    assert landing.whole().tolist() == [[0, 1, 2, 2, 2], [5, 6, 2, 2, 2]]
    assert landing.whole().dtype == torch.float32


def test_what_no_piece_arrives_in_is_silence() -> None:
    landing = Landing(2, 1_000, CPU)
    landing.put(300, torch.ones(2, 100))
    wave = landing.whole()
    assert wave.dtype == torch.float32
    assert wave.shape == (2, 1_000)
    assert float(wave[:, 300:400].min()) == 1.0
    assert float(wave.sum()) == 200.0
