"""The tasks, each a Plan: a canvas and stages.

    task            canvas             enter             steps    field            hold
    text to music   empty              noised to 1       all      guided           -
    retake          empty              two noises mixed  all      guided           -
    follow          source             noised to level   shorter  guided           -
    inpaint         source             noised to level   from k   guided           outside
    extend          source, new parts  noised to 1       all      guided           source
    edit, part 1    source             as it is          a to b   target - source  -
    edit, part 2    -                  shifted by noise  b to N   guided           -

The last two have files of their own.
"""

from __future__ import annotations

from torch import Tensor

from ..config import MAX_SECONDS, frames_of
from ..sampling.loop import Plan, Stage
from ..sampling.noise import Stream
from ..sampling.schedule import shifted, steps_of
from ..sampling.solve import Solver, as_they_are, euler, evaluations
from ..settings import SettingError
from ..types import Extend, Follow, Inpaint, Retake, Source, Task, TextToMusic
from .extension import extend
from .flow_edit import edit
from .kit import Kit, at_level, begin_with, keep_outside
from .region import hard_frames, regenerate, soft_frames


def plan(task: Task, kit: Kit, source: Source | None = None) -> Plan:
    """The one place where tasks are told apart."""
    if isinstance(task, TextToMusic):
        return text_to_music(task, kit)
    if isinstance(task, Retake):
        return retake(frames_of(task.seconds), task.variance, kit)
    assert source is not None, f"{type(task).__name__} works on a source"
    if isinstance(task, Follow):
        return follow(task, source, kit)
    if isinstance(task, Inpaint):
        return inpaint(task, source, kit)
    if isinstance(task, Extend):
        return extend(task, source, kit)
    return edit(task, source, kit)


def frames_made(task: Task, source: Source | None = None) -> int:
    """Frames that the transformer will see at once: what memory is forecast from."""
    if isinstance(task, TextToMusic | Retake):
        return frames_of(task.seconds)
    assert source is not None, f"{type(task).__name__} works on a source"
    if isinstance(task, Extend):
        total = source.latent.frames + frames_of(task.before + task.after)
        return min(total, frames_of(MAX_SECONDS))
    return source.latent.frames


def text_to_music(task: TextToMusic, kit: Kit) -> Plan:
    stream = kit.start().main
    return _from_noise(stream.draw(frames_of(task.seconds)), stream, kit)


def retake(frames: int, variance: float, kit: Kit) -> Plan:
    streams = kit.start()
    first, second = streams.main.draw(frames), streams.retake.draw(frames)
    return _from_noise(kit.behaviour.mix(first, second, variance), streams.main, kit)


def _from_noise(start: Tensor, stream: Stream, kit: Kit) -> Plan:
    """All steps of the schedule, from pure noise."""
    steps = kit.steps()
    field = kit.behaviour.window_index(kit.field(len(steps)))
    stage = Stage(begin_with(kit.there(start)), steps, field, kit.solver(stream))
    count = evaluations(kit.sampling.solver, len(steps))
    return Plan(kit.empty(start.shape[-1]), [stage], count)


def follow(task: Follow, source: Source, kit: Kit) -> Plan:
    if kit.sampling.chosen:
        raise SettingError(
            "Chosen steps do not go with a reference strength, which shortens the schedule."
            " Give a number of steps instead."
        )
    known, stream, level = kit.canvas(source.latent), kit.start().main, 1 - task.strength
    if level == 0:
        return Plan(known, [], 0)
    # At least one step: none would return the noisy mixture.
    count = max(1, int(level * kit.sampling.steps))
    steps = steps_of(kit.behaviour.lowered_sigmas(count, level))
    start = at_level(known, kit.there(stream.draw(known.shape[-1])), shifted(level))
    field = kit.behaviour.window_index(kit.field(count))
    stage = Stage(begin_with(start), steps, field, kit.solver(stream))
    return Plan(known, [stage], evaluations(kit.sampling.solver, count))


def inpaint(task: Inpaint, source: Source, kit: Kit) -> Plan:
    """The last `variance` share of the steps again, from a noise that differs in the regions."""
    known, regenerate = kit.canvas(source.latent), kit.behaviour.regenerate(task, source)
    frames, steps = known.shape[-1], kit.steps()
    if kit.behaviour.whole_is_retake(regenerate):
        return retake(frames, task.variance, kit)
    first = first_step(len(steps), task.variance)
    if first == len(steps):  # nothing is sampled again: the source, not its noise
        return Plan(known, [], 0)
    streams = kit.start()
    main, new = streams.main.draw(frames), streams.retake.draw(frames)
    noise = kit.there(kit.behaviour.mix(main, new, regenerate * task.variance))
    stage = Stage(
        begin_with(at_level(known, noise, steps[first].sigma)),
        steps[first:],
        kit.field(len(steps)),
        kit.held_solver(streams.main),
        keep_outside(kit.there(regenerate), noise),
    )
    return Plan(known, [stage], evaluations(kit.sampling.solver, len(steps) - first))


def first_step(count: int, variance: float) -> int:
    """The step at which an inpaint begins: with variance 0.2 of 60, the 48th."""
    return int(count * (1 - variance))


def hard_regions(task: Inpaint, source: Source) -> Tensor:
    """Regions with hard edges on whole frames, as the original counts them."""
    return regenerate(task.regions, source.latent.frames, source.length, hard_frames)


def soft_regions(task: Inpaint, source: Source) -> Tensor:
    """Regions to the frame they touch, with their feather."""
    return regenerate(task.regions, source.latent.frames, source.length, soft_frames)


def retake_of_whole(regenerate: Tensor) -> bool:
    """The original takes an inpaint of the whole clip for a retake and forgets the source."""
    return bool((regenerate == 1).all())


def never_retake(regenerate: Tensor) -> bool:
    return False


def only_euler(solver: Solver) -> Solver:
    """The original holds frames under plain Euler, whatever solver is asked for."""
    return euler(as_they_are, lambda x: x)


def any_solver(solver: Solver) -> Solver:
    """The solver that was asked for; frames are held after each of its whole steps."""
    return solver
