"""Texts of regions, and what the core reads in them: for the page's own reading of the same.

    python -m tests.unit.region_cases -> tests/unit/page/regions/cases.json

Written once from a seed and kept; test_region_cases.py holds the core to it, spelling.test.mjs the
page.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from acestep_core.settings import SettingError
from acestep_core.tasks.region import read_regions, spelled

PLACE = Path(__file__).parent / "page" / "regions" / "cases.json"
ODD = (
    *("", " ", ";", "10.5:20; -30:-5", "1:2\n3:4", "1:2\r\n3:4", ":", "5:", ":5", "-5:", "1:-0"),
    *("10", "a:b", "1:2:3", "1 : 2", "- 5:2", "+1:+2", "1_0:2_0", "1__0:20", "_1:2", "1_:2"),
    *("1e1:2e1", "1e-5:1", "1.:2.", ".5:1", ".:1", "1e:2", "nan:1", "inf:1", "1:inf", "-inf:1"),
    *("3600:3600", "3600.1:1", "1:3601", "0.0001:1", "0.00001:1", "-0:-0.0", "0x1:2", "1,5:2"),
    *("\uff11\uff10:\uff12\uff10", "\u0661:\u0662", "\u00b2:3", "1\uff1a2", "\u2212" + "1:2"),
    *("\u00a01:2\u3000", "\ufeff1:2", "\x1c1:2", "\x851:2", "1:2\v;3:4\f", "\u20281:2", "1:2;;3:4"),
    *(
        "--1:2",
        "1:--2",
        "1e400:2",
        "1e-400:2",
        "007:08",
        "1.5e+1:2E1",
        "\U0001d7ce:1",
        "\u0967:\u0968",
    ),
)
NUMBERS = ("{:.0f}", "{:.1f}", "{:.3f}", "{!r}", "{:e}", " {:g}", "{:g} ", "+{:g}", "{:_.1f}")
BETWEEN = (";", "; ", "\n", " ;\n", ";;", ",", " ")
FORMS = (
    *("{a}:{b}", "-{a}:-{b}", "{a}:-{b}", "-{a}:{b}", "{a}:", ":{b}", "-{a}:", "{a} : {b}"),
    *("{a}", "{a}::{b}", "{a}-{b}", "{a}:{b}s"),
)


def texts(seed: int = 18, count: int = 500) -> list[str]:
    draw = random.Random(seed)

    def number() -> str:
        size = draw.choice((0.001, 1, 60, 600, 3600, 4000))
        return draw.choice(NUMBERS).format(draw.random() * size)

    def part() -> str:
        form = draw.choice(FORMS[: draw.choice((7, 7, 7, len(FORMS)))])
        return form.format(a=number(), b=number())

    made = list(ODD)
    for _ in range(count):
        between = draw.choice(BETWEEN[: draw.choice((5, 5, 5, 7))])
        made.append(between.join(part() for _ in range(draw.randint(1, 4))))
    return made


def told(text: str) -> dict[str, Any]:
    """What the core makes of a text; no regions where it refuses it."""
    try:
        found = read_regions(text)
    except SettingError:
        return {"text": text, "regions": None}
    parts = [[one.start, one.end, one.start_from, one.end_from] for one in found]
    return {"text": text, "regions": parts, "spelled": spelled(found)}


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(told(text)) for text in texts())
    PLACE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
