"""Between a recipe and the parameter file beside a song.

    Made -> record_of -> Record -> file
    file -> Record -> recipe_of -> Recipe

A file of the original project is repeated in reference mode; its seeds were drawn on that
machine's device, so the same number gives another song there than here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..anonymous import named
from ..atomic import FileError
from ..config import VERSION
from ..editing.request import Options
from ..pipeline import Made
from ..sampling.noise import Noise
from ..types import (
    AudioToAudio,
    Edit,
    Extend,
    Guidance,
    Recipe,
    Region,
    Repaint,
    Retake,
    Sampling,
    Task,
    TextToMusic,
)
from ..weights.model import Added, Model
from .record import OWN_KEY, Json, Record, values_of

# Keys of our own part of a record.
ADAPTERS = "adapters"
SKIPPED = "skipped_adapters"  # named by the record that was repeated, and left out
REPLAYED = "replayed"  # what earlier records of the same song said otherwise, the first one first


@dataclass(frozen=True)
class Output:
    """Where and how a result is written."""

    path: Path
    index: int = 0  # item of the batch
    rate: int = 48_000
    seconds: float | None = None  # where the sound is longer than what was made
    source: str = ""  # name of the file that was worked on
    regions: tuple[Region, ...] = ()  # of all of the source, where a task has those of a stretch
    options: Options | None = None  # how its result was put into the source


def record_of(made: Made, model: Model, output: Output) -> Record:
    """The record of one item of a result, under the original's names."""
    recipe, task = made.recipe, made.recipe.task
    if isinstance(task, Repaint) and output.regions:
        task = replace(task, regions=output.regions)
    guidance, sampling = recipe.guidance, recipe.sampling
    retake = recipe.retake_seeds[output.index : output.index + 1]
    record = Record(
        format=output.path.suffix.removeprefix("."),
        prompt=recipe.tags,
        lyrics=recipe.lyrics,
        audio_duration=round(_seconds(made, output), 3),
        infer_step=sampling.steps,
        guidance_scale=guidance.scale,
        scheduler_type=sampling.solver,
        cfg_type=guidance.kind,
        omega_scale=sampling.granularity,
        guidance_interval=guidance.interval,
        guidance_interval_decay=guidance.decay,
        min_guidance_scale=guidance.min_scale,
        use_erg_tag=guidance.erg_tag,
        use_erg_lyric=guidance.erg_lyric,
        use_erg_diffusion=guidance.erg_diffusion,
        oss_steps=sampling.chosen,
        timecosts={name: round(value, 3) for name, value in made.times.items()},
        actual_seeds=(recipe.seeds[output.index],),
        retake_seeds=retake,
        guidance_scale_text=guidance.text_scale,
        guidance_scale_lyric=guidance.lyric_scale,
        audio_path=output.path.name,  # no folders of this machine in a file people share
        ace_core={**_own(made, model, output), **own_fields(task), **_of_source(output)},
    )
    fields = {**task_fields(task), **adapter_fields(model)}
    if output.source:
        is_reference = isinstance(task, AudioToAudio)
        fields["ref_audio_input" if is_reference else "src_audio_path"] = output.source
    return replace(record, **fields)  # pyright: ignore[reportArgumentType]


def _seconds(made: Made, output: Output) -> float:
    return made.latent.seconds if output.seconds is None else output.seconds


def adapter_fields(model: Model) -> dict[str, object]:
    """The first adapter; the original's names have a place for one."""
    if not model.adapters:
        return {}
    return {"lora_name_or_path": model.adapters[0].name, "lora_weight": model.adapters[0].weight}


def task_fields(task: Task) -> dict[str, object]:
    """What a record says of the task, under the original's names."""
    if isinstance(task, TextToMusic):
        return {"task": "text2music", "audio_duration": task.seconds}
    if isinstance(task, Retake):
        length = {"audio_duration": task.seconds, "repaint_end": task.seconds}
        return {"task": "retake", "retake_variance": task.variance, **length}
    if isinstance(task, AudioToAudio):
        return {
            "task": "audio2audio",
            "audio2audio_enable": True,
            "ref_audio_strength": task.strength,
        }
    length = task.source.seconds
    if isinstance(task, Repaint):
        region = task.regions[0]
        ends = {"repaint_start": region.start, "repaint_end": region.end}
        return {"task": "repaint", "retake_variance": task.variance, **ends}
    if isinstance(task, Extend):
        ends = {"repaint_start": -task.before, "repaint_end": length + task.after}
        return {"task": "extend", "retake_variance": 1.0, **ends}
    share = {"edit_n_min": task.start, "edit_n_max": task.stop, "edit_n_avg": task.average}
    return {"task": "edit", **share}


def own_fields(task: Task) -> dict[str, Json]:
    """What the original's names have no place for."""
    if isinstance(task, Edit):
        return {
            "source_tags": task.source_tags.text,
            "source_lyrics": task.source_lyrics.text,
            "extended": task.extended,
        }
    if isinstance(task, Repaint):
        return {"regions": [dict(asdict(region)) for region in task.regions]}
    if isinstance(task, Extend):
        added = {"before": round(task.before, 3), "after": round(task.after, 3)}
        return {"context": task.context, **added}
    return {}


def _own(made: Made, model: Model, output: Output) -> dict[str, Json]:
    part = model.transformer
    lines: list[Json] = [line.language for line in made.lyrics.lines]
    return {
        "version": VERSION,
        "compat": made.recipe.compat,
        "rng": "cpu",
        "model": model.name,
        "demonstration_model": model.is_demo,
        ADAPTERS: [dict(asdict(added)) for added in model.adapters],
        "dtype": str(part.dtype).removeprefix("torch."),
        "device": part.device.type,
        "seconds_made": round(_seconds(made, output), 3),
        "rate": output.rate,
        "language": made.recipe.language,
        "lyric_languages": lines,
        "warnings": list(made.warnings),
    }


def _of_source(output: Output) -> dict[str, Json]:
    """How an edit was put into its source."""
    own: dict[str, Json] = {}
    if output.regions:
        own["regions"] = [dict(asdict(region)) for region in output.regions]
    if output.options:
        own["options"] = dict(asdict(output.options))
    return own


def adapters_of(record: Record, source: Path) -> list[Added]:
    """The adapters of a recorded run. Our own files name all of them, the original's just one."""
    entries = record.ace_core.get(ADAPTERS) or record.ace_core.get(SKIPPED)
    if not entries:
        return [Added(record.lora, record.lora_weight)] if record.lora else []
    try:
        return [Added(**entry) for entry in entries]  # pyright: ignore[reportGeneralTypeIssues]
    except TypeError as error:
        raise FileError(
            f"{source}: {ADAPTERS!r} is not a list of names and weights. Correct it in the file."
        ) from error


def recipe_of(record: Record, source: Path) -> Recipe:
    """The recipe that repeats a text-to-music or retake record; other tasks need their source."""
    if record.task not in ("text2music", "retake"):
        raise FileError(
            f"{source} records the task {record.task!r}; only text2music and retake can be"
            " repeated from their file alone."
        )
    if not record.actual_seeds:
        raise FileError(f"{source} names no seed (actual_seeds is empty); add one.")
    Noise(record.actual_seeds, record.retake_seeds)  # checks their range
    return Recipe(
        record.prompt,
        record.lyrics,
        _task_of(record),
        guidance_of(record),
        sampling_of(record),
        tuple(record.actual_seeds),
        tuple(record.retake_seeds),
        record.compat,
        language_of(record),
    )


def guidance_of(record: Record) -> Guidance:
    return Guidance(
        record.cfg_type,
        record.guidance_scale,
        record.guidance_interval,
        record.guidance_interval_decay,
        record.min_guidance_scale,
        record.guidance_scale_text,
        record.guidance_scale_lyric,
        record.use_erg_tag,
        record.use_erg_lyric,
        record.use_erg_diffusion,
    )


def sampling_of(record: Record) -> Sampling:
    return Sampling(
        record.infer_step, record.scheduler_type, record.omega_scale, tuple(record.oss_steps)
    )


def language_of(record: Record) -> str:
    """How the languages of its lyrics are told."""
    return str(record.ace_core.get("language", "auto"))


def _task_of(record: Record) -> Task:
    if record.task == "retake":
        return Retake(record.audio_duration, record.retake_variance)
    return TextToMusic(record.audio_duration)


# Of no effect on a text-to-music run, and named by the original all the same.
UNUSED = (
    "retake_seeds",
    "src_audio_path",
    "ref_audio_input",
    "edit_target_prompt",
    "edit_target_lyrics",
)


def carried(new: Record, old: Record, source: Path) -> Record:
    """The record of a repeated run with all that the first one said, so that nothing is lost.

    Adapters that were left out stay named where they were. What differs now is kept apart. Of
    paths, which older files hold, only the names go on.
    """
    old = replace(old, **_without_folders(old))
    kept: dict[str, object] = {
        name: getattr(old, name) for name in UNUSED if not getattr(new, name)
    }
    own = dict(new.ace_core)
    if old.lora and not new.lora:
        kept |= {"lora_name_or_path": old.lora_name_or_path, "lora_weight": old.lora_weight}
        own[SKIPPED] = [dict(asdict(added)) for added in adapters_of(old, source)]
    record = replace(new, extra={**old.extra, **new.extra}, **kept)  # pyright: ignore[reportArgumentType]
    differing: dict[str, Json] = _differing(values_of(old), values_of(record))
    if changed := _differing(old.ace_core, own):
        differing[OWN_KEY] = changed
    earlier = old.ace_core.get(REPLAYED, [])
    own[REPLAYED] = [*(earlier if isinstance(earlier, list) else [earlier]), differing]
    return replace(record, ace_core=own)


def _without_folders(record: Record) -> dict[str, Any]:
    held = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    texts = named({name: one for name, one in held.items() if isinstance(one, str | dict)})
    assert isinstance(texts, dict)
    return texts


def _differing(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Values of the old that the new has not or has otherwise; our own part is looked at apart."""
    return {
        name: value
        for name, value in old.items()
        if name not in (OWN_KEY, REPLAYED) and new.get(name) != value
    }
