"""The tasks, each a Plan: a canvas, stages, and what is joined back at the end.

    task            canvas             enter             steps    field            hold
    text to music   empty              noised to 1       all      guided           -
    retake          empty              two noises mixed  all      guided           -
    audio to audio  source             noised to level   shorter  guided           -
    repaint         source             noised to level   from k   guided           outside
    extend          source, new parts  noised to 1       all      guided           source
    edit, part 1    source             as it is          a to b   target - source  -
    edit, part 2    -                  shifted by noise  b to N   guided           -

The last two have files of their own.
"""

from __future__ import annotations

from torch import Tensor

from ..config import frames_of
from ..sampling.loop import Plan, Stage, as_it_is, hold_nothing
from ..sampling.noise import Stream
from ..sampling.schedule import shifted, steps_of
from ..sampling.solve import Solver, as_they_are, euler, evaluations
from ..settings import SettingError
from ..types import AudioToAudio, Extend, Repaint, Retake, Task, TextToMusic
from .extension import extend
from .flow_edit import edit
from .kit import Kit, at_level, begin_with, empty, keep_outside
from .region import hard_frames, regenerate, soft_frames


def plan(task: Task, kit: Kit) -> Plan:
    """The one place where tasks are told apart."""
    if isinstance(task, TextToMusic):
        return text_to_music(task, kit)
    if isinstance(task, Retake):
        return retake(frames_of(task.seconds), task.variance, kit)
    if isinstance(task, AudioToAudio):
        return audio_to_audio(task, kit)
    if isinstance(task, Repaint):
        return repaint(task, kit)
    if isinstance(task, Extend):
        return extend(task, kit)
    return edit(task, kit)


def frames_made(task: Task) -> int:
    """Frames that the transformer will see at once: what memory is forecast from."""
    if isinstance(task, TextToMusic | Retake):
        return frames_of(task.seconds)
    if isinstance(task, Extend):
        return min(task.source.frames + frames_of(task.before + task.after), frames_of(240))
    return task.source.frames


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
    stage = Stage(begin_with(start), steps, field, kit.solver(stream), hold_nothing)
    count = evaluations(kit.sampling.solver, len(steps))
    return Plan(empty(kit.items, start.shape[-1]), [stage], as_it_is, count)


def audio_to_audio(task: AudioToAudio, kit: Kit) -> Plan:
    if kit.sampling.chosen:
        raise SettingError(
            "Chosen steps do not go with a reference strength, which shortens the schedule."
            " Give a number of steps instead."
        )
    source, stream, level = kit.canvas(task.source), kit.start().main, 1 - task.strength
    if level == 0:
        return Plan(source, [], as_it_is, 0)
    # At least one step: none would return the noisy mixture.
    count = max(1, int(level * kit.sampling.steps))
    steps = steps_of(kit.behaviour.lowered_sigmas(count, level))
    start = at_level(source, stream.draw(source.shape[-1]), shifted(level))
    field = kit.behaviour.window_index(kit.field(count))
    stage = Stage(begin_with(start), steps, field, kit.solver(stream), hold_nothing)
    return Plan(source, [stage], as_it_is, evaluations(kit.sampling.solver, count))


def repaint(task: Repaint, kit: Kit) -> Plan:
    """The last `variance` share of the steps again, from a noise that differs in the regions."""
    source, regenerate = kit.canvas(task.source), kit.behaviour.regenerate(task)
    frames, steps = source.shape[-1], kit.steps()
    if kit.behaviour.whole_is_retake(regenerate):
        return retake(frames, task.variance, kit)
    first = first_step(len(steps), task.variance)
    if first == len(steps):  # nothing is sampled again: the source, not its noise
        return Plan(source, [], as_it_is, 0)
    streams = kit.start()
    main, new = streams.main.draw(frames), streams.retake.draw(frames)
    noise = kit.behaviour.mix(main, new, regenerate * task.variance)
    stage = Stage(
        begin_with(at_level(source, noise, steps[first].sigma)),
        steps[first:],
        kit.field(len(steps)),
        kit.held_solver(streams.main),
        keep_outside(regenerate, source, noise),
    )
    return Plan(source, [stage], as_it_is, evaluations(kit.sampling.solver, len(steps) - first))


def first_step(count: int, variance: float) -> int:
    """The step at which a repaint begins: with variance 0.2 of 60, the 48th."""
    return int(count * (1 - variance))


def hard_regions(task: Repaint) -> Tensor:
    """Regions with hard edges on whole frames, as the original counts them."""
    return regenerate(task.regions, task.source.frames, _length(task), hard_frames)


def soft_regions(task: Repaint) -> Tensor:
    """Regions to the frame they touch, with their feather."""
    return regenerate(task.regions, task.source.frames, _length(task), soft_frames)


def _length(task: Repaint) -> float:
    return task.source.seconds if task.seconds is None else task.seconds


def retake_of_whole(regenerate: Tensor) -> bool:
    """The original takes a repaint of the whole clip for a retake and forgets the source."""
    return bool((regenerate == 1).all())


def never_retake(regenerate: Tensor) -> bool:
    return False


def only_euler(solver: Solver) -> Solver:
    """The original holds frames under plain Euler, whatever solver is asked for."""
    return euler(as_they_are, lambda x: x)


def any_solver(solver: Solver) -> Solver:
    """The solver that was asked for; frames are held after each of its whole steps."""
    return solver
