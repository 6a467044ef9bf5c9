"""Tags and lyrics -> the branches that guidance asks about, prepared once per run.

    cond        tags, lyrics
    null        what guidance steers away from: weakened (ERG) or zeroed conditions
    text only   tags, weakened or zeroed lyrics        (double-condition guidance)

Branches of one run have equal shape and are stacked, so that a guided step can be one
forward call; cross-attention keys and values are made here, not at every step.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..networks.layers import ERG_FACTOR
from ..networks.memory import first_that_fits
from ..networks.transformer import Tables, Transformer
from ..sampling.guidance import Predict, branches_of
from ..sampling.schedule import Step
from ..settings import SettingError
from ..types import Branch, Guidance, Lyrics, Tags

Context = tuple[Tensor, Tensor]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Branches:
    """Branches stacked along the batch axis: all items of cond, then all of null, ..."""

    stacked: Branch
    items: int
    count: int

    def first(self, count: int) -> Branch:
        return self.slice(0, count)

    def slice(self, start: int, end: int) -> Branch:
        rows = slice(start * self.items, end * self.items)
        branch = self.stacked
        return Branch(
            branch.context[rows],
            None if branch.mask is None else branch.mask[rows],
            None if branch.temper is None or (start == 0 and end == 1) else branch.temper[rows],
            tuple((k[rows], v[rows]) for k, v in branch.keys_values),
        )


def branches(
    network: Transformer, tags: Tags, lyrics: Lyrics, guidance: Guidance, items: int = 1
) -> Branches:
    """The branches of a text-to-music run; all of them share the mask of `cond`."""
    contexts = _contexts(network, tags, lyrics, guidance)
    return stacked(network, contexts, _tempers(guidance), items)


def branches_of_each(
    network: Transformer, words: Sequence[tuple[Tags, Lyrics]], guidance: Guidance
) -> Branches:
    """The same for items that each have tags and lyrics of their own.

    Each is encoded alone and filled up at its end, behind the mask: what it says keeps its place.
    """
    own = [_contexts(network, tags, lyrics, guidance) for tags, lyrics in words]
    length = max(context.shape[1] for ((context, _), *_) in own)
    contexts = [_joined(branch, length) for branch in zip(*own, strict=True)]
    return stacked(network, contexts, _tempers(guidance), len(words))


def _joined(contexts: Sequence[Context], length: int) -> Context:
    """(1, n, D) and (1, n) of each item as (B, length, D) and (B, length)."""
    filled = [(pad(c, (0, 0, 0, length - c.shape[1])), m) for c, m in contexts]
    masks = [pad(mask, (0, length - mask.shape[1])) for _, mask in filled]
    return torch.cat([context for context, _ in filled]), torch.cat(masks)


def _contexts(
    network: Transformer, tags: Tags, lyrics: Lyrics, guidance: Guidance
) -> list[Context]:
    cond, mask = network.encode(tags.states, tags.mask, lyrics.ids, lyrics.mask)
    contexts = [cond]
    if branches_of(guidance) > 1:
        contexts.append(_null(network, tags, lyrics, guidance))
    if branches_of(guidance) > 2:
        contexts.append(_text_only(network, tags, lyrics, guidance))
    return [(context, mask) for context in contexts]


def _tempers(guidance: Guidance) -> list[float]:
    weak = ERG_FACTOR if guidance.erg_diffusion else 1.0
    return [1.0, weak, 1.0][: branches_of(guidance)]


def edit_branches(network: Transformer, tags: Tags, lyrics: Lyrics, items: int = 1) -> Branches:
    """Cond, and a null with zero tags, zero lyrics and a zero lyric mask; no ERG."""
    cond = network.encode(tags.states, tags.mask, lyrics.ids, lyrics.mask)
    zero_ids, zero_mask = torch.zeros_like(lyrics.ids), torch.zeros_like(lyrics.mask)
    null = network.encode(torch.zeros_like(tags.states), tags.mask, zero_ids, zero_mask)
    return stacked(network, [cond, null], [1.0, 1.0], items)


def _null(network: Transformer, tags: Tags, lyrics: Lyrics, guidance: Guidance) -> Tensor:
    silent = torch.zeros_like(tags.states)
    if not guidance.erg_lyric:
        # The tag ERG has no effect here: its states are only read together with lyric ERG.
        return network.encode(silent, tags.mask, torch.zeros_like(lyrics.ids), lyrics.mask)[0]
    states = silent
    if guidance.erg_tag:
        if tags.weak_states is None:
            raise SettingError(
                "ERG for tags is on, but the tags were encoded without it."
                " Encode the tags with this pack's Tag Encode, or switch ERG for tags off."
            )
        states = tags.weak_states
    return network.encode(states, tags.mask, lyrics.ids, lyrics.mask, ERG_FACTOR)[0]


def _text_only(network: Transformer, tags: Tags, lyrics: Lyrics, guidance: Guidance) -> Tensor:
    if guidance.erg_lyric:
        return network.encode(tags.states, tags.mask, lyrics.ids, lyrics.mask, ERG_FACTOR)[0]
    return network.encode(tags.states, tags.mask, torch.zeros_like(lyrics.ids), lyrics.mask)[0]


def stacked(
    network: Transformer, contexts: list[Context], tempers: list[float], items: int
) -> Branches:
    """Contexts of equal shape in one Branch, with the keys and values of every block."""
    # One condition for many items is encoded once and repeated.
    times = items // len(contexts[0][0])
    context = torch.cat([c for c, _ in contexts])
    mask = torch.cat([m for _, m in contexts])
    temper = torch.tensor(tempers, device=context.device).repeat_interleave(items)
    keys_values = network.attend(context)
    branch = Branch(
        context.repeat_interleave(times, 0),
        None if bool(mask.all()) else mask.repeat_interleave(times, 0),
        None if all(t == 1.0 for t in tempers) else temper,
        tuple(
            (k.repeat_interleave(times, 0), v.repeat_interleave(times, 0)) for k, v in keys_values
        ),
    )
    return Branches(branch, items, len(contexts))


def predicting(
    network: Transformer, prepared: Branches, dtype: torch.dtype, together: bool = True
) -> Predict:
    """Ask about the first n branches: in one call, or one by one where memory is short."""
    small = not together

    @cache
    def ready(start: int, end: int, frames: int) -> tuple[Branch, Tables]:
        branch = prepared.slice(start, end)
        return branch, network.tables(frames, branch)

    def ask(x: Tensor, step: Step, start: int, end: int) -> Tensor:
        branch, tables = ready(start, end, x.shape[-1])
        times, device = len(branch.context) // len(x), branch.context.device
        timestep = torch.full((len(branch.context),), 1000 * step.sigma, device=device)
        wide = x.to(device, dtype).repeat(times, 1, 1, 1)
        return network(wide, timestep, branch, tables).to(x)

    def at_once(x: Tensor, step: Step, count: int) -> list[Tensor]:
        return list(ask(x, step, 0, count).chunk(count))

    def in_turn(x: Tensor, step: Step, count: int) -> list[Tensor]:
        return [ask(x, step, i, i + 1) for i in range(count)]

    def told(message: str) -> None:
        nonlocal small
        small = True  # for the rest of the run
        log.warning(message)

    def predict(x: Tensor, step: Step, count: int) -> list[Tensor]:
        if small or count == 1:
            return in_turn(x, step, count)
        return first_that_fits(
            [lambda: at_once(x, step, count), lambda: in_turn(x, step, count)], told
        )

    return predict
