"""Rows: guidance, sampling, length and seeds; what every run is made with."""

from __future__ import annotations

from ..config import FRAME, MAX_SECONDS, SAMPLE_RATE
from .setting import At, Setting

GUIDANCE_KINDS = ("apg", "cfg", "cfg_star")
SOLVER_NAMES = ("euler", "heun", "pingpong")
CORRECTED, ORIGINAL = "corrected", "original"
COMPATS = (CORRECTED, ORIGINAL)
OLD_NAMES = {"reference": ORIGINAL}  # of a mode, in records of earlier versions
AUTO = "auto"  # what the loaded model recommends; among numbers:
FROM_MODEL = -1
CUSTOM = "custom"  # what a node offers beside named values: its own widgets

LARGEST_SEED = 2**64 - 1
HOSTED_SEED = 2**31 - 1  # the largest of the hosted endpoints, and of the writer
PICK = -1  # as a seed: choose one and report it

WITH_SOURCE = ("inpaint", "extend", "edit", "follow")
RETAKING = ("retake", "vary")
EDITING = (*RETAKING, *WITH_SOURCE)
MAKING = ("generate", *EDITING)
NEW_CLIPS = ("text-to-audio", "prompt-to-audio")
HOSTED = (*NEW_CLIPS, "audio-to-audio", "audio-inpaint", "audio-outpaint")
FULL_CONTROL = "full-control"
BOXES_WITH_SOURCE = ("AceSuiteAudioToAudio", "AceSuiteAudioInpaint", "AceSuiteAudioOutpaint")
BOXES = ("AceSuiteTextToAudio", "AceSuitePromptToAudio", *BOXES_WITH_SOURCE)
SAMPLER, GUIDANCE, SCHEDULE = "AceSuiteSampler", "AceSuiteGuidance", "AceSuiteSchedule"


def _option(name: str) -> At:
    """Of every command that makes music; presets and records bring what is not given."""
    return At(MAKING, name, is_open=True)


# A node shows rows in this order, and a page keeps values by their place: new rows go last.
GUIDANCE_ROWS = (
    Setting(
        "Guidance.kind",
        "Guidance type",
        kind="choice",
        choices=GUIDANCE_KINDS,
        about="How tags and lyrics are made to count: apg is the original's, cfg the classical"
        " one, cfg_star cfg with a scaled null prediction.",
        record="cfg_type",
        at=(
            _option("--guidance-type"),
            At(GUIDANCE),
            At(
                SAMPLER,
                "guidance",
                also=AUTO,
                default=AUTO,
                about="How tags and lyrics are made to count: auto as the model recommends, apg the"
                " original's, cfg the classical one, cfg_star cfg with a scaled null prediction.",
            ),
            At(
                FULL_CONTROL,
                "guidance_type",
                about="How the words are made to count; not used while both scales at the end are"
                " above 1.",
            ),
        ),
    ),
    Setting(
        "Guidance.scale",
        "Guidance scale",
        kind="number",
        low=0,
        high=200,
        step=0.5,
        about="How closely tags and lyrics are followed. 15 suits apg, 5 to 7 cfg; 0 and 1 switch"
        " guidance off, which takes half the time.",
        record="guidance_scale",
        host="cfg",
        at=(
            _option("--guidance-scale"),
            At(GUIDANCE),
            At(
                SAMPLER,
                "guidance_scale",
                default=FROM_MODEL,
                low=FROM_MODEL,
                about="How closely tags and lyrics are followed; -1 as the model recommends. 15"
                " suits apg, 5 to 7 cfg; 0 and 1 switch guidance off, which takes half the time.",
            ),
            At(FULL_CONTROL, "guidance_scale"),
        ),
    ),
    Setting(
        "Guidance.interval",
        "Guidance interval",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="Share of the steps, in the middle of the run, that is guided; the rest is free.",
        record="guidance_interval",
        at=(_option("--guidance-interval"), At(GUIDANCE), At(FULL_CONTROL, "guidance_interval")),
    ),
    Setting(
        "Guidance.decay",
        "Guidance interval decay",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="How far the scale falls over the guided steps; 0 keeps it.",
        record="guidance_interval_decay",
        at=(
            _option("--guidance-interval-decay"),
            At(GUIDANCE),
            At(FULL_CONTROL, "guidance_interval_decay"),
        ),
    ),
    Setting(
        "Guidance.min_scale",
        "Minimum guidance scale",
        kind="number",
        low=0,
        high=200,
        step=0.5,
        about="Where the scale falls to with decay.",
        record="min_guidance_scale",
        at=(
            _option("--minimum-guidance-scale"),
            At(GUIDANCE),
            At(FULL_CONTROL, "minimum_guidance_scale"),
        ),
    ),
    Setting(
        "Guidance.text_scale",
        "Tag guidance scale",
        kind="number",
        low=0,
        high=10,
        step=0.1,
        about="Guides tags apart from lyrics when this and the scale of the lyrics are above 1;"
        " takes a third evaluation per step.",
        record="guidance_scale_text",
        at=(_option("--tag-guidance-scale"), At(GUIDANCE), At(FULL_CONTROL, "tag_guidance_scale")),
    ),
    Setting(
        "Guidance.lyric_scale",
        "Lyric guidance scale",
        kind="number",
        low=0,
        high=10,
        step=0.1,
        about="Guides lyrics apart from tags when this and the scale of the tags are above 1.",
        record="guidance_scale_lyric",
        at=(
            _option("--lyric-guidance-scale"),
            At(GUIDANCE),
            At(FULL_CONTROL, "lyric_guidance_scale"),
        ),
    ),
    Setting(
        "Guidance.erg_tag",
        "ERG on tags",
        kind="switch",
        about="ERG on the tags: guides away from a blurred reading of them.",
        record="use_erg_tag",
        at=(_option("--erg-tag"), At(GUIDANCE)),
    ),
    Setting(
        "Guidance.erg_lyric",
        "ERG on lyrics",
        kind="switch",
        about="ERG on the lyrics. Off follows the words more exactly, as the original's web page"
        " does.",
        record="use_erg_lyric",
        at=(_option("--erg-lyric"), At(GUIDANCE)),
    ),
    Setting(
        "Guidance.erg_diffusion",
        "ERG in the transformer",
        kind="switch",
        about="ERG inside the transformer's blocks.",
        record="use_erg_diffusion",
        at=(_option("--erg-diffusion"), At(GUIDANCE)),
    ),
    Setting(
        "Recipe.compat",
        "Compatibility",
        kind="choice",
        choices=COMPATS,
        about="corrected mends what the original gets wrong, such as equal clips in a batch."
        " original repeats it number for number; splice and level matching are off then.",
        at=(
            _option("--compat"),
            At(GUIDANCE),
            At(
                "AceSuiteLyricEncode",
                about="How auto tells languages apart: corrected, or as the original does, for"
                " runs whose Guidance says original.",
            ),
        ),
    ),
)

SAMPLING_ROWS = (
    Setting(
        "preset",
        "preset",
        kind="choice",
        default=AUTO,
        about="auto takes what the model recommends, custom the values below. Another preset brings"
        " all of them itself.",
        at=(
            At(
                MAKING,
                "--preset",
                is_open=True,
                about="Where settings that are not given come from.",
            ),
            At((GUIDANCE, SCHEDULE), also=CUSTOM),
        ),
    ),
    Setting(
        "Sampling.steps",
        "Steps",
        kind="whole",
        low=1,
        high=1000,
        about="60 as in the original, 27 for a quicker song.",
        record="infer_step",
        host="steps",
        at=(
            _option("--steps"),
            At(SCHEDULE),
            At(
                SAMPLER,
                default=FROM_MODEL,
                low=FROM_MODEL,
                about="-1 as the model recommends: the released one takes 60, as in the original;"
                " 27 make a quicker song.",
            ),
            At(FULL_CONTROL, "number_of_steps", low=3, high=60, about="More are finer and slower."),
        ),
    ),
    Setting(
        "Sampling.solver",
        "Solver",
        kind="choice",
        choices=SOLVER_NAMES,
        about="euler is the usual one. heun asks the model twice per step. pingpong adds fresh"
        " noise at every step.",
        record="scheduler_type",
        host="sampler_name",
        at=(
            _option("--solver"),
            At(SCHEDULE),
            At(
                SAMPLER,
                also=AUTO,
                default=AUTO,
                about="auto is what the model recommends. euler is the usual one. heun asks the"
                " model twice per step. pingpong adds fresh noise at every step.",
            ),
            At(
                FULL_CONTROL,
                "scheduler",
                choices=SOLVER_NAMES[:2],
                about="heun asks the model twice per step.",
            ),
        ),
    ),
    Setting(
        "Sampling.granularity",
        "Granularity scale",
        kind="number",
        low=-100,
        high=100,
        step=0.5,
        about="The original's granularity scale (omega): stretches what each step changes about"
        " its mean, by 0.9 to 1.1. 10, the original's, is 1.046; 0 is 1.",
        record="omega_scale",
        at=(
            _option("--granularity-scale"),
            At(SCHEDULE),
            At(
                FULL_CONTROL,
                "granularity_scale",
                kind="whole",
                about="Stretches what each step changes about its mean.",
            ),
        ),
    ),
    Setting(
        "Sampling.chosen",
        "Chosen steps",
        kind="text",
        about="Only these steps of a schedule as long as the largest, counted from 1, with commas:"
        " 16, 29, 52, 96 ... They replace steps; empty takes all.",
        record="oss_steps",
        at=(_option("--chosen-steps"), At(SCHEDULE, "chosen_steps")),
    ),
    Setting(
        "seed",
        "Seed",
        kind="whole",
        default=0,
        low=0,
        high=LARGEST_SEED,
        about="The same seed and settings give the same music on every machine. Further clips of"
        " a batch take the seeds after it. With a task it is that of what is new.",
        record="actual_seeds",
        host="seed",
        at=(
            At(
                "generate",
                "--seed",
                kind="text",
                is_open=True,
                about="A number, or several with commas, one for each clip; -1 draws one.",
            ),
            At(
                EDITING,
                "--seed",
                kind="text",
                is_open=True,
                about="Of what is new; -1 draws one.",
            ),
            At(SAMPLER),
            At(
                BOXES,
                high=HOSTED_SEED,
                about="Of what is made new. The same seed and inputs give the same music.",
            ),
            At(
                HOSTED,
                default=PICK,
                low=PICK,
                high=HOSTED_SEED,
                about="-1 picks one; the answer says which.",
            ),
            At(
                FULL_CONTROL,
                is_open=True,
                low=PICK,
                high=HOSTED_SEED,
                about="Without one, or with -1, one is picked and reported.",
            ),
        ),
    ),
    Setting(
        "source_seed",
        "Seed of the source",
        kind="whole",
        default=0,
        low=0,
        high=LARGEST_SEED,
        about="The seed the source was made with, if it is known. Without, one is derived from the"
        " seed of what is made new.",
        record="actual_seeds",
        at=(
            At(EDITING, "--source-seed", kind="text", is_open=True),
            At(
                ("AceSuiteInpaintMask", "AceSuiteExtend", "AceSuiteRemixEdit"),
                is_open=True,
                about="The seed the source was made with, if it is known. Without, one is derived"
                " from the Sampler's seed, which is that of what is made new.",
            ),
            At(
                "AceSuiteRetake",
                about="The seed of the clip to vary, made with the same tags, lyrics, seconds and"
                " settings. The Sampler's seed is that of the variation.",
            ),
            At(
                BOXES_WITH_SOURCE,
                "original_seed",
                is_open=True,
                about="The seed the clip was made with, if it is known. A remix or lyric edit only"
                " records it; inpaint and outpaint draw the noise of what is kept from it.",
            ),
            At(
                FULL_CONTROL,
                "original_seed",
                is_open=True,
                low=PICK,
                high=HOSTED_SEED,
                about="The seed the source was made with, where it is known.",
            ),
        ),
    ),
    Setting(
        "TextToMusic.seconds",
        "Duration (seconds)",
        unit="s",
        kind="number",
        low=FRAME / SAMPLE_RATE,
        high=MAX_SECONDS,
        step=0.1,
        fix="The model was trained on clips of at most 240 s; make longer ones with Extend.",
        about="Length asked for. What is made is a whole number of frames of 92.9 ms, rounded"
        " down: 60 s asked, 59.907 s made.",
        record="audio_duration",
        host="seconds",
        at=(
            At(("generate", *RETAKING), "--duration", is_open=True),
            At(SAMPLER, low=0.1),
            At("AceSuiteSetupCheck", low=1, step=1, about="Length of song to forecast for."),
            At(
                NEW_CLIPS,
                "duration",
                low=5,
                step=0.5,
                about="Seconds, rounded down to frames of 92.9 ms: 60 gives 59.907.",
            ),
        ),
    ),
    Setting(
        "batch_size",
        "Clips at once",
        kind="whole",
        default=1,
        low=1,
        high=64,
        about="How many clips at once; seeds count up.",
        host="batch_size",
        at=(
            At("generate", "--batch"),
            At(tuple(name for name in EDITING if name != "vary"), "--takes"),
            At("vary", "--takes", default=4),
            At(
                "batch",
                "--batch",
                default=8,
                about="Rows that are made together, at most; another number gives other last"
                " digits.",
            ),
            At(SAMPLER),
            At(
                "AceSuiteLoadParameters",
                "clip",
                about="Which clip, where the file names the seeds of a whole batch.",
            ),
        ),
    ),
    Setting(
        "Recipe.in_turn",
        "One by one",
        kind="switch",
        about="Guidance branches and clips of a batch one after another: less memory, and each"
        " clip is to the last bit what it would be alone.",
        at=(_option("--one-by-one"), At(SAMPLER, "one_by_one")),
    ),
)
