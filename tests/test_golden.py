"""One test per recorded case, named after it; `dev.py golden` shows the errors themselves."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from acestep_core.networks import products, transformed
from tests.golden_cases import GOLDEN, all_cases, check

# Cases that hold the quicker ways of a CPU to the recorded values: the recorded networks are so
# small that they would not be taken.
QUICKER = (
    *("codec.decode44", "codec.decode48", "codec.latent44", "codec.vocoder.wave"),
    *("transformer.a.velocity", "transformer.d.velocity", "text_encoder.hidden"),
)


@pytest.mark.parametrize("case", all_cases(GOLDEN))
def test_recorded_value(case: str) -> None:
    outcome = check(GOLDEN, case)
    if outcome.status == "skipped":
        pytest.skip(outcome.note)
    assert outcome.status == "passed", (
        f"{case}: {outcome.note} (relative error {outcome.error}, limit {outcome.limit})"
    )


@pytest.mark.parametrize("case", QUICKER)
def test_recorded_value_by_the_quicker_ways(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def counted(module: ModuleType, name: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *of: (taken.append(name), real(*of))[1])

    monkeypatch.setattr(transformed, "WIDTHS", dict.fromkeys(transformed.WIDTHS, 1))
    for module, name in ((transformed, "PIXELS"), (products, "ROWS"), (products, "WIDTH")):
        monkeypatch.setattr(module, name, 0)
    counted(products, "product")
    counted(transformed, "transform")
    outcome = check(GOLDEN, case)
    assert outcome.status == "passed", f"{case}: {outcome.error} of {outcome.limit}"
    way = "transform" if case.startswith("codec") else "product"
    with torch.inference_mode():
        assert (way in taken) == products.quick(torch.zeros(1))
