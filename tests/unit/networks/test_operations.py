"""How many operations a guided evaluation takes at the released depth."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from acestep_core.conditions.branches import predicting, stacked
from acestep_core.config import TransformerConfig
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.schedule import Step
from acestep_core.weights.tiny import CONFIG

from ..dispatch_kit import dispatched

MOST = 1000


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("hidden", [0, 2], ids=["all tokens", "masked tokens"])
def test_a_guided_evaluation_takes_a_thousand_operations(dtype: torch.dtype, hidden: int) -> None:
    config = replace(CONFIG.transformer, num_layers=TransformerConfig().num_layers)
    network = Transformer(config).to(dtype).eval().requires_grad_(False)
    width, step, x = config.inner_dim, Step(3, 60, 0.9, 0.8), torch.zeros(1, 8, 16, 12)
    mask = torch.ones(1, 9)
    mask[:, 9 - hidden :] = 0
    with torch.no_grad():
        context = torch.zeros(1, 9, width, dtype=dtype)
        both = stacked(network, [(context, mask)] * 2, [1.0, 0.01], 1)
        predict = predicting(network, both, dtype)
        predict(x, step, 2)  # what a run makes once
        seen = dispatched(lambda: predict(x, step, 2))
    assert seen.computing <= MOST, seen.names
    assert seen.names["addmm"] + seen.names["mm"] == 6 * config.num_layers + 4  # q, k, v are one
