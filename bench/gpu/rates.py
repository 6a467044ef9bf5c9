"""What the card could do at best: matrix products by dtype, and copies to and from it."""

from __future__ import annotations

import torch

from .card import Card, exact
from .parts import Found, Trial

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
IN_A_ROW = 10  # products between two events


def measured(trial: Trial) -> Found:
    found = Found()
    rates: dict[str, float] = {}
    for name, dtype in DTYPES.items():
        try:
            with exact():
                rates[name] = product_rate(trial, dtype)
        except RuntimeError as error:
            found.skipped.append(f"{name}: {str(error).splitlines()[0]}")
    best = trial.card.is_cuda and "bfloat16" in rates
    trial.rate = rates.get("bfloat16" if best else "float32")
    listed = ", ".join(f"{name} {rate / 1e12:.3g}" for name, rate in rates.items())
    found.lines.append(f"matrix products of {trial.sizes.matmul}, TFLOP/s: {listed} (TF32 off)")
    copies = copy_rates(trial.card)
    if copies:
        said = ", ".join(f"{name} {rate / 1e9:.1f}" for name, rate in copies.items())
        found.lines.append(f"copies of 256 MB, GB/s: {said}")
    else:
        found.skipped.append("copies: there is no card to copy to")
    found.figures = {"tflops": {k: round(v / 1e12, 3) for k, v in rates.items()}}
    found.figures["copy_GBps"] = {name: round(rate / 1e9, 2) for name, rate in copies.items()}
    return found


def product_rate(trial: Trial, dtype: torch.dtype) -> float:
    """FLOP/s of square products."""
    size, device = trial.sizes.matmul, trial.card.device
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)

    def work() -> None:
        for _ in range(IN_A_ROW):
            torch.mm(a, b, out=out)

    return 2 * size**3 * IN_A_ROW / trial.card.timed(work, trial.sizes.repeats).median


def copy_rates(card: Card) -> dict[str, float]:
    """Bytes a second between main memory, as it is usually allocated, and the card."""
    if not card.is_cuda:
        return {}
    here = torch.ones(64 << 20)
    there = here.to(card.device)
    size = here.numel() * here.element_size()
    to_card = card.timed(lambda: there.copy_(here), 3).median
    from_card = card.timed(lambda: here.copy_(there), 3).median
    return {"to the card": size / to_card, "from the card": size / from_card}
