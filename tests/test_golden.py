"""One test per recorded case, named after it; `dev.py golden` shows the errors themselves."""

from __future__ import annotations

import pytest

from tests.golden_cases import GOLDEN, all_cases, check, is_planned

PLANNED = pytest.mark.xfail(reason="no code yet; see PLANNED in tests/golden_cases", strict=True)


@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=PLANNED if is_planned(name) else ()) for name in all_cases(GOLDEN)],
)
def test_recorded_value(case: str) -> None:
    outcome = check(GOLDEN, case)
    if outcome.status == "skipped":
        pytest.skip(outcome.note)
    assert outcome.status == "passed", (
        f"{case}: {outcome.note} (relative error {outcome.error}, limit {outcome.limit})"
    )
