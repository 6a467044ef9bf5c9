"""How the velocities of several branches become one.

    predict(x, step, n) -> velocities of the first n branches: cond, null, (text only)
    rule(velocities, step, scale) -> guided velocity

A rule is made anew for every run: APG and its momentum forget nothing within a run and
everything after it. Outside its window a guided field asks for `cond` alone.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ..types import Guidance
from .schedule import Step
from .solve import Field

Predict = Callable[[Tensor, Step, int], Sequence[Tensor]]
Rule = Callable[[Sequence[Tensor], Step, float], Tensor]

APG_MOMENTUM = -0.75
APG_NORM = 2.5  # an absolute L2 norm over 16 x T values: the longer the clip, the weaker
SINGLE = ("mps",)  # devices without float64
ZERO_STEPS = 1  # cfg_star answers 0 up to and including this step index


@dataclass(frozen=True)
class GuidanceWindow:
    """The steps that are guided, and how strongly each."""

    first: int
    end: int
    scale: float
    min_scale: float
    decay: float

    @classmethod
    def of(cls, guidance: Guidance, count: int) -> GuidanceWindow:
        w = guidance.interval
        # Exactly these expressions: floats truncate, and the original's windows with them
        # (60 steps at 0.8 begin at 5, since 60 * (1 - 0.8) / 2 is 5.99...).
        first, end = int(count * ((1 - w) / 2)), int(count * (w / 2 + 0.5))
        return cls(first, end, guidance.scale, guidance.min_scale, guidance.decay)

    def __contains__(self, index: int) -> bool:
        return self.first <= index < self.end

    def scale_at(self, index: int) -> float:
        if self.decay <= 0:
            return self.scale
        length = self.end - self.first - 1
        progress = (index - self.first) / length if length else 0.0
        return self.scale - (self.scale - self.min_scale) * progress * self.decay


def guided(predict: Predict, rule: Rule | None, window: GuidanceWindow, branches: int) -> Field:
    """The field of a guided model; without a rule the plain conditional one."""

    def field(x: Tensor, step: Step) -> Tensor:
        if rule is None or step.index not in window:
            return predict(x, step, 1)[0]
        return rule(predict(x, step, branches), step, window.scale_at(step.index))

    return field


def project(v: Tensor, onto: Tensor) -> Tensor:
    """The part of v orthogonal to `onto`, per item and channel, in float64 where there is one."""
    dtype = torch.float32 if v.device.type in SINGLE else torch.float64
    wide, axis = v.to(dtype), onto.to(dtype)
    length = cast("Tensor", axis.norm(dim=(-2, -1), keepdim=True))
    unit = axis / length.clamp(min=1e-12)
    along = (wide * unit).sum((-2, -1), keepdim=True) * unit
    return (wide - along).to(v.dtype)


def apg(momentum: float = APG_MOMENTUM) -> Rule:
    """Adaptive projected guidance: the difference, with momentum, bounded, orthogonal to cond."""
    memory: Tensor | None = None

    def rule(velocities: Sequence[Tensor], step: Step, scale: float) -> Tensor:
        nonlocal memory
        cond, null = velocities[:2]
        difference = cond - null
        if momentum:
            difference = difference if memory is None else difference + momentum * memory
            memory = difference  # unclipped
        norm = cast("Tensor", difference.norm(dim=(-2, -1), keepdim=True))
        difference = difference * (APG_NORM / norm.clamp(min=1e-30)).clamp(max=1.0)
        return cond + (scale - 1) * project(difference, cond)

    return rule


def cfg() -> Rule:
    """Classifier-free guidance."""

    def rule(velocities: Sequence[Tensor], step: Step, scale: float) -> Tensor:
        cond, null = velocities[:2]
        return null + scale * (cond - null)

    return rule


def cfg_star() -> Rule:
    """CFG-Zero*: the null prediction scaled to fit, and nothing at all in the first two steps."""

    def rule(velocities: Sequence[Tensor], step: Step, scale: float) -> Tensor:
        cond, null = velocities[:2]
        if step.index <= ZERO_STEPS:
            return torch.zeros_like(cond)
        flat_cond, flat_null = cond.flatten(1), null.flatten(1)
        fit = (flat_cond * flat_null).sum(1) / (flat_null.square().sum(1) + 1e-8)
        null = fit.reshape(-1, *(1 for _ in null.shape[1:])) * null
        return null + scale * (cond - null)

    return rule


def double(text_scale: float, lyric_scale: float) -> Rule:
    """Double-condition guidance: tags and lyrics weighted apart, in place of kind and scale."""

    def rule(velocities: Sequence[Tensor], step: Step, scale: float) -> Tensor:
        cond, null, text_only = velocities
        between = (text_scale - lyric_scale) * text_only
        return (1 - text_scale) * null + between + lyric_scale * cond

    return rule


GUIDANCE: dict[str, Callable[[], Rule]] = {"apg": apg, "cfg": cfg, "cfg_star": cfg_star}


def rule_of(guidance: Guidance) -> Rule | None:
    """A fresh rule for a run, None where guidance is off (scale 0 or 1)."""
    if guidance.is_double:
        return double(guidance.text_scale, guidance.lyric_scale)
    return GUIDANCE[guidance.kind]() if guidance.is_active else None


def branches_of(guidance: Guidance) -> int:
    """How many branches a guided step asks about."""
    if not guidance.is_active:
        return 1
    return 3 if guidance.is_double else 2
