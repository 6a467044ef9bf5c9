"""The core reads regions as the page does: both are held to the same file."""

from __future__ import annotations

import json

from tests.unit.region_cases import PLACE, told


def test_the_core_reads_what_the_page_is_held_to() -> None:
    cases = json.loads(PLACE.read_text(encoding="utf-8"))
    assert [case for case in cases if told(case["text"]) != case] == []
    refused = sum(case["regions"] is None for case in cases)
    assert 50 < refused < len(cases) / 2 < 400
