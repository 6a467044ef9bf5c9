"""Random requests of every task, as the faces make them: seeds resolved, sources named."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from acestep_core.editing.request import Options, Request, SourceNamed
from acestep_core.pipeline import resolved
from acestep_core.sampling.noise import LARGEST_SEED
from acestep_core.settings import COMPATS, Setting, rows_of
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Recipe,
    Region,
    Retake,
    Sampling,
    Task,
    TextToMusic,
)
from acestep_core.weights.model import Added

SOURCE_SECONDS = 30.0
SEEDS = st.integers(0, LARGEST_SEED)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
TAGS = WORDS.map("pop {}".format)
SHARE = st.floats(0, 1)
SECONDS = st.floats(1, 240)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """One that fits a clip of SOURCE_SECONDS, counted from either end."""
    first = draw(st.floats(0, SOURCE_SECONDS - 2))
    last = draw(st.floats(first + 1, SOURCE_SECONDS))
    feather = draw(st.floats(0, 60))
    if draw(st.booleans()):
        return Region(SOURCE_SECONDS - first, SOURCE_SECONDS - last, "end", "end", feather)
    return Region(first, last, feather=feather)


@st.composite
def several(draw: st.DrawFn, least: int) -> tuple[Region, ...]:
    """Half the time with one feather for all, as a node or a command asks for it."""
    found = draw(st.lists(regions(), min_size=least, max_size=3))
    if draw(st.booleans()):
        found = [replace(one, feather=found[0].feather) for one in found]
    return tuple(found)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    start, stop = sorted((draw(SHARE), draw(SHARE)))
    marked = draw(several(0))
    return Edit(start, stop, draw(st.integers(1, 100)), draw(st.booleans()), marked)


TASKS: list[st.SearchStrategy[Task]] = [
    st.builds(TextToMusic, SECONDS),
    st.builds(Retake, SECONDS, SHARE),
    st.builds(Inpaint, several(1), SHARE),
    st.builds(Extend, st.floats(0, 240), st.floats(0.1, 240), SECONDS),
    edits(),
    st.builds(Follow, SHARE),
]


def drawn(row: Setting) -> st.SearchStrategy[float | bool | str]:
    if row.kind == "switch":
        return st.booleans()
    if row.kind == "choice":
        return st.sampled_from(row.choices or ())
    low, high = row.limits
    return st.integers(int(low), int(high)) if row.kind == "whole" else st.floats(low, high)


GUIDANCE = st.builds(Guidance, **{row.field: drawn(row) for row in rows_of("Guidance")})
STEPS = st.sets(st.integers(1, 1000), max_size=4).map(lambda found: tuple(sorted(found)))
SAMPLING = st.builds(
    Sampling,
    **{row.field: drawn(row) for row in rows_of("Sampling") if row.kind != "text"},
    chosen=STEPS,
)
NAMES = st.text("abc \u96e8", min_size=1, max_size=6).map("{}.flac".format)
ADDED = st.builds(Added, NAMES, st.floats(-3, 3), st.booleans())


@st.composite
def requests(draw: st.DrawFn) -> Request:
    task = draw(st.one_of(TASKS))
    new = draw(st.lists(SEEDS, min_size=1, max_size=3))
    recipe = Recipe(
        draw(TAGS),
        draw(WORDS),
        task,
        draw(GUIDANCE),
        draw(SAMPLING),
        tuple(new),
        tuple(draw(SEEDS) for _ in new),
        draw(st.sampled_from(COMPATS)),
        draw(st.sampled_from(("auto", "prefix", "de"))),
        draw(st.booleans()),
    )
    request = Request(resolved(recipe), adapters=tuple(draw(st.lists(ADDED, max_size=2))))
    if isinstance(task, TextToMusic | Retake):
        return request
    words = (draw(TAGS), draw(WORDS)) if isinstance(task, Edit) else ("", "")
    source = SourceNamed(
        draw(NAMES), draw(st.text("0123abc", max_size=8)), *words, draw(st.booleans())
    )
    options = Options(draw(st.booleans()), draw(st.floats(0, 10)), draw(st.booleans()))
    return replace(request, source=source, options=options)
