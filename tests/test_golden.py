"""One test per recorded case, named after it; `dev.py golden` shows the errors themselves."""

from __future__ import annotations

import pytest

from tests.golden_cases import GOLDEN, all_cases, check


@pytest.mark.parametrize("case", all_cases(GOLDEN))
def test_recorded_value(case: str) -> None:
    outcome = check(GOLDEN, case)
    if outcome.status == "skipped":
        pytest.skip(outcome.note)
    assert outcome.status == "passed", (
        f"{case}: {outcome.note} (relative error {outcome.error}, limit {outcome.limit})"
    )
