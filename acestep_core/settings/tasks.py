"""Rows: what is done to a source, and how the result is put into it."""

from __future__ import annotations

from ..config import LONGEST_SOURCE, MAX_SECONDS
from .making import CUSTOM, FULL_CONTROL, RETAKING, WITH_SOURCE
from .setting import At, Setting

ENDS = ("start", "end")
# n_min and n_max of flow-edit: what a user calls them -> the share of the steps.
EDIT_MODES = {"remix": (0.2, 0.4), "lyrics": (0.6, 1.0)}

INPAINT, EXTEND, REMIX = "AceSuiteInpaintMask", "AceSuiteExtend", "AceSuiteRemixEdit"
REFERENCE, DECODE = "AceSuiteAudioReference", "AceSuiteDCAEDecode"
PARTS = ("inpaint", "edit")
MODES = "; ".join(f"{name}: start {a:g}, stop {b:g}" for name, (a, b) in EDIT_MODES.items())
FAR = f"How far the edit leads away. {MODES}"
COUNTED = "From which end of the clip this is counted."

REGION_ROWS = (
    Setting(
        "Region.start",
        "Region start",
        unit="s",
        kind="number",
        low=0,
        high=LONGEST_SOURCE,
        step=0.1,
        about="Where the new part begins, in seconds.",
        record="repaint_start",
        at=(At(INPAINT, default=10.0), At("audio-inpaint", "start_time", high=MAX_SECONDS)),
    ),
    Setting(
        "Region.end",
        "Region end",
        unit="s",
        kind="number",
        low=0,
        high=LONGEST_SOURCE,
        step=0.1,
        about="Where the new part ends, in seconds.",
        record="repaint_end",
        at=(At(INPAINT, default=20.0), At("audio-inpaint", "end_time", high=MAX_SECONDS)),
    ),
    Setting(
        "Region.start_from",
        "Region start counts from",
        kind="choice",
        choices=ENDS,
        about=COUNTED,
        at=(At(INPAINT), At("audio-inpaint", "start_time_relative_to")),
    ),
    Setting(
        "Region.end_from",
        "Region end counts from",
        kind="choice",
        choices=ENDS,
        about=COUNTED,
        at=(At(INPAINT), At("audio-inpaint", "end_time_relative_to")),
    ),
    Setting(
        "Region.feather",
        "Region feather",
        unit="s",
        kind="number",
        # Of a face: brings the steps at the edges down to the music's own (bench seams). A region
        # that says nothing has hard edges.
        default=0.5,
        low=0,
        high=60,
        step=0.1,
        about="Seconds over which the new part fades in and out, inside its edges; 0 is a hard"
        " edge.",
        at=(At(PARTS, "--feather"), At((INPAINT, REMIX))),
    ),
    Setting(
        "regions",
        "Regions",
        unit="s",
        kind="text",
        default="",
        about="Parts to make new, in seconds: 10.5:20; -30:-5 (-5 is 5 s before the end). Where"
        " there are some, they take the place of start and end.",
        at=(
            At(INPAINT),
            At(
                REMIX,
                about="Parts to edit, in seconds: 10.5:20; -30:-5 (-5 is 5 s before the end)."
                " Empty is the whole clip.",
            ),
        ),
    ),
)

TASK_ROWS = (
    Setting(
        "Retake.variance",
        "Variance",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="0 is the clip itself, 1 an unrelated one.",
        record="retake_variance",
        at=(At(RETAKING, "--variance"), At("AceSuiteRetake")),
    ),
    Setting(
        "Inpaint.variance",
        "Variance",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="0 keeps the source, 0.5 varies it, 1 starts from nothing.",
        record="retake_variance",
        host="denoise",
        at=(At("inpaint", "--variance"), At(INPAINT), At("audio-inpaint")),
    ),
    Setting(
        "Extend.before",
        "Extend before (seconds)",
        unit="s",
        kind="number",
        low=0,
        high=MAX_SECONDS,
        step=0.5,
        about="Seconds of new music in front.",
        at=(At("extend", "--before"), At(EXTEND), At("audio-outpaint", "extend_before_duration")),
    ),
    Setting(
        "Extend.after",
        "Extend after (seconds)",
        unit="s",
        kind="number",
        low=0,
        high=MAX_SECONDS,
        step=0.5,
        about="Seconds of new music at the end.",
        at=(At("extend", "--after"), At(EXTEND), At("audio-outpaint", "extend_after_duration")),
    ),
    Setting(
        "Extend.context",
        "Context (seconds)",
        unit="s",
        kind="number",
        low=1,
        high=MAX_SECONDS,
        step=1,
        about="Seconds of the source, at most, that the new music is fitted to.",
        at=(At("extend", "--context"), At(EXTEND)),
    ),
    Setting(
        "mode",
        "mode",
        kind="choice",
        default="remix",
        choices=tuple(EDIT_MODES),
        about=f"{FAR}.",
        at=(
            At("edit", "--mode"),
            At(REMIX, also=CUSTOM, about=f"{FAR}; custom takes start and stop below."),
            At(
                ("audio-to-audio", FULL_CONTROL),
                "edit_mode",
                about="remix changes the style and keeps rhythm, tempo and melody; lyrics changes"
                " the words and keeps the backing.",
            ),
        ),
    ),
    Setting(
        "Edit.start",
        "Edit start (n_min)",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="custom: the share of the steps that is skipped (n_min).",
        record="edit_n_min",
        at=(
            At("edit", "--n-min", is_open=True, about="Share of the steps that is skipped."),
            At(REMIX, "edit_start"),
        ),
    ),
    Setting(
        "Edit.stop",
        "Edit stop (n_max)",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="custom: until which share both are followed (n_max).",
        record="edit_n_max",
        at=(
            At("edit", "--n-max", is_open=True, about="Until which share both are followed."),
            At(REMIX, "edit_stop"),
        ),
    ),
    Setting(
        "Edit.average",
        "Averaged noises (n_avg)",
        kind="whole",
        low=1,
        high=100,
        about="Noises averaged at each step; 1 is usual.",
        record="edit_n_avg",
        at=(At("edit", "--n-avg"), At(REMIX)),
    ),
    Setting(
        "Edit.extended",
        "Extended edit",
        kind="switch",
        about="Obey guidance and solver as well, which the original's edit ignores.",
        at=(
            At("edit", "--extended"),
            At(REMIX),
            At(
                FULL_CONTROL,
                about="Off, an edit runs as the original's, which reads only number_of_steps and"
                " guidance_scale. On, it obeys all of these. Not of the services.",
            ),
        ),
    ),
    Setting(
        "Follow.strength",
        "Reference strength",
        kind="number",
        low=0,
        high=1,
        step=0.05,
        about="0 leaves nothing of the reference but its length, 1 is the reference itself.",
        record="ref_audio_strength",
        host="1 - denoise",
        at=(At("follow", "--strength"), At(REFERENCE)),
    ),
)

PUTTING_ROWS = (
    Setting(
        "Options.splice",
        "Splice",
        kind="switch",
        about="With a task on a source. On: what is not made new stays the source, sample for"
        " sample. Off: all is decoded anew.",
        at=(At(WITH_SOURCE, "--splice"), At(DECODE)),
    ),
    Setting(
        "Options.crossfade",
        "Cross-fade (seconds)",
        unit="s",
        kind="number",
        low=0,
        high=10,
        step=0.01,
        about="With a task on a source: seconds of cross-fade where kept and new meet.",
        at=(At(WITH_SOURCE, "--crossfade"), At(DECODE)),
    ),
    Setting(
        "Options.match_level",
        "Level matching",
        kind="switch",
        about="With a task on a source: brings new parts to the loudness that the source has"
        " there, by 12 dB at most.",
        at=(At(WITH_SOURCE, "--level"), At(DECODE)),
    ),
)
