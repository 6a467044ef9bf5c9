"""What one guided step is made of: kernels, host waits, FLOP, and how busy they keep the card.

    a run of MORE steps - a run of FEWER, divided by their difference

so that what happens once a run does not count. Waits are counted twice: by the profiler, as
calls of the driver, and by torch, which also knows the line that waited.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from acestep_core.types import Guidance
from acestep_core.weights.model import Model

from .card import Card
from .parts import Found, Skip, Trial
from .song import Given, conditions, middle, recipe_of, sampled, spoken

FEWER, MORE = 2, 4
TIMED = 8  # steps whose median counts
LONGEST = 5  # kernels that are named
ALWAYS = Guidance(interval=1.0)  # every step asks all branches
ROOT = Path(__file__).resolve().parents[2]

Run = Callable[[int], object]  # by its steps


@dataclass
class Trace:
    """Of one run, or of one step."""

    kernels: float = 0.0  # operators where there is no card
    copies: float = 0.0
    waits: float = 0.0
    busy: float = 0.0  # seconds of all kernels
    by_name: Counter[str] = field(default_factory=Counter)  # seconds


def step(trial: Trial) -> Found:
    found, model = Found(), trial.made()
    given = conditions(trial, model)
    trial.needs(2 * (trial.song or 0.0), "steps looked at")

    def run(steps: int, together: bool = True) -> object:
        recipe = recipe_of(trial.sizes.seconds, steps, ALWAYS)
        return sampled(trial, model, given, recipe, together)

    batched = timed(trial, model, given, True, found)
    timed(trial, model, given, False, found)
    pieces: tuple[Callable[[], None], ...] = (
        lambda: worked(trial, run, batched, found),
        lambda: looked_at(trial.card, run, batched, found),
        lambda: waited(trial.card, run, found),
    )
    for piece in pieces:
        try:
            piece()
        except Skip as reason:
            found.skipped.append(str(reason))
        except Exception as error:  # a build without a profiler still has its times
            found.skipped.append(f"{type(error).__name__}: {error}")
    return found


def timed(trial: Trial, model: Model, given: Given, together: bool, found: Found) -> float | None:
    """Median seconds of a guided step."""
    recipe = recipe_of(trial.sizes.seconds, TIMED, ALWAYS)
    with trial.card.memory() as peak:
        _, watch = sampled(trial, model, given, recipe, together)
    name, key = ("batched", "batched") if together else ("in turn", "in_turn")
    seconds = middle(watch.seconds(guided=True))
    found.lines.append(f"branches {name}: {spoken(seconds)} a step, peak {peak.said}")
    found.figures |= {f"{key}_s": seconds, f"{key}_peak": peak.bytes}
    return seconds


def worked(trial: Trial, run: Run, seconds: float | None, found: Found) -> None:
    """FLOP of a step, and its share of what matrix products reach."""

    def counted(steps: int) -> int:
        with FlopCounterMode(display=False) as counter:
            run(steps)
        return counter.get_total_flops()

    flop = (counted(MORE) - counted(FEWER)) / (MORE - FEWER)
    found.figures["tflop"] = round(flop / 1e12, 5)
    if not seconds or not trial.rate:
        raise Skip("no time or no rate to compare with")
    share = flop / seconds / trial.rate
    found.figures["of_product_rate"] = round(share, 4)
    found.lines.append(
        f"{flop / 1e12:.3g} TFLOP a step: {flop / seconds / 1e12:.3g} TFLOP/s,"
        f" {share:.1%} of the measured rate of matrix products"
    )


# --- the profiler -----------------------------------------------------------------------


def looked_at(card: Card, run: Run, seconds: float | None, found: Found) -> None:
    fewer, more = (traced(card, run, steps) for steps in (FEWER, MORE))
    count = MORE - FEWER
    kernels, copies, waits, busy = (
        (getattr(more, name) - getattr(fewer, name)) / count
        for name in ("kernels", "copies", "waits", "busy")
    )
    found.figures["kernels" if card.is_cuda else "operators"] = kernels
    if not card.is_cuda:
        found.lines.append(f"{kernels:g} operators a step")
        found.skipped.append("kernels and driver waits: only a card has them")
        return
    if not kernels:
        raise Skip("the profiler sees no kernels on this machine")
    found.figures |= {"copies": copies, "driver_waits": waits, "busy_s": round(busy, 5)}
    share = f", {busy / seconds:.0%} of the step" if seconds else ""
    found.lines.append(
        f"{kernels:g} kernels, {copies:g} copies and {waits:g} driver waits a step;"
        f" kernels run for {1000 * busy:.1f} ms{share}"
    )
    more.by_name.subtract(fewer.by_name)
    longest = more.by_name.most_common(LONGEST)
    found.figures["longest_ms"] = {
        name[:80]: round(1000 * spent / count, 3) for name, spent in longest
    }
    found.lines += [f"  {1000 * spent / count:7.2f} ms  {name[:80]}" for name, spent in longest]


def traced(card: Card, run: Run, steps: int) -> Trace:
    activities = [ProfilerActivity.CPU]
    if card.is_cuda:
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as seen:
        run(steps)
        card.wait()
    trace = Trace()
    for event in seen.events() or ():
        if event.device_type.name == "CPU":
            trace.waits += event.name.endswith("Synchronize")
            # Without a card: operators that no other operator called.
            is_outer = event.name.startswith("aten::") and event.cpu_parent is None
            trace.kernels += is_outer and not card.is_cuda
        elif event.name.startswith(("Memcpy", "Memset")):
            trace.copies += 1
        else:
            spent = event.time_range.elapsed_us() / 1e6
            trace.kernels += 1
            trace.busy += spent
            trace.by_name[event.name] += spent
    return trace


# --- torch's own count of waits ---------------------------------------------------------


def waited(card: Card, run: Run, found: Found) -> None:
    """Lines at which the host waits for the card, once a step."""
    if not card.is_cuda:
        raise Skip("host waits: there is nothing to wait for")
    more, fewer = (waits_in(run, steps) for steps in (MORE, FEWER))
    more.subtract(fewer)
    lines = {place: count / (MORE - FEWER) for place, count in more.items() if count > 0}
    found.figures |= {"host_waits": sum(lines.values()), "waiting_lines": lines}
    said = ", ".join(f"{count:g} at {place}" for place, count in lines.items())
    found.lines.append(f"host waits a step: {sum(lines.values()):g} ({said or 'none'})")


def waits_in(run: Run, steps: int) -> Counter[str]:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run(steps)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return Counter(
        f"{short(one.filename)}:{one.lineno}" for one in heard if "synchroniz" in str(one.message)
    )


def short(name: str) -> str:
    path = Path(name)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
