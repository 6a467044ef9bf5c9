"""From Manifest: one row of many songs, for the other nodes.

manifest in the input folder, or its text -> row k -> words, settings, seed, seconds, task, id
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..acestep_core.batch.manifest import SUFFIXES, Raw, read_lines, read_manifest
from ..acestep_core.batch.rows import row_of
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.presets import PRESETS
from ..acestep_core.settings import NONE, SettingError, chosen_from
from . import host, sound
from .parameters import ASKED, SOCKETS, asked_by, task_asked
from .widgets import usual, widgets

FIRST: int = usual("AceSuiteFromManifest", "row")


def files() -> dict[str, Path]:
    """Manifests in ComfyUI's input folder, by their names."""
    folder = host.input_folder()
    if folder is None or not folder.is_dir():
        return {}
    return {one.name: one for one in sorted(folder.iterdir()) if one.suffix.lower() in SUFFIXES}


class FromManifest:
    TITLE = "From Manifest (ACE-Step)"
    DESCRIPTION = "One row of a manifest of many songs: its words, settings, seed and task."
    SEARCH_ALIASES = ("batch", "jsonl", "csv", "dataset", "rows", "many songs")
    FUNCTION = "read"
    RETURN_TYPES = (*ASKED.values(), "STRING", "INT")
    RETURN_NAMES = (*ASKED, "id", "rows")
    OUTPUT_TOOLTIPS = (
        "For Tag Encode.",
        "For Lyric Encode.",
        "For the language of Lyric Encode.",
        "For the compat of Lyric Encode.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler; nothing where the row makes a new clip.",
        "The row's name, for filename_prefix of Save Audio.",
        "How many rows there are.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteFromManifest", "manifest row", manifest=[NONE, *files()]),
            "optional": {
                **widgets("AceSuiteFromManifest", "text"),
                "model": (
                    "ACESUITE_MODEL",
                    {"tooltip": "From Load ACE-Step: what a row leaves out is as it recommends."},
                ),
                "source_audio": SOCKETS["source_audio"],
            },
        }

    @classmethod
    def IS_CHANGED(cls, manifest: str, **others: Any) -> str:
        return host.mark_of(manifest, files().get(manifest))

    def read(
        self,
        manifest: str,
        row: int = FIRST,
        text: str = "",
        model: ACEStep | None = None,
        source_audio: sound.Audio | None = None,
    ) -> tuple[Any, ...]:
        with host.errors_of(self.TITLE):
            raw, count = _row(manifest, text, row)
            recommended = model.model.card.recommended if model else PRESETS["original"]
            found = row_of(raw, row, recommended)
            if found.adapters is not None:
                raise SettingError(
                    f"Row {row} ({found.id}): lora is {raw['lora']!r}, which this node cannot add."
                    " Put Load LoRA before the Sampler, and leave the column out."
                )
            task = task_asked(found.request, found.recipe, model, source_audio)
            return (*asked_by(found.recipe, task), found.id, count)


def _row(manifest: str, text: str, row: int) -> tuple[Raw, int]:
    """Row `row`, from 1, and how many there are. A text comes before a chosen file."""
    if text.strip():
        rows = read_lines(text.splitlines(), "text")
    elif manifest == NONE:
        raise SettingError("Choose a manifest, or put its rows into text.")
    else:
        found = files()
        chosen_from("manifest", manifest, found)
        rows = read_manifest(found[manifest])
    chosen, count = None, 0
    for count, one in enumerate(rows, start=1):  # of a large one no more than a row is held
        chosen = one if count == row else chosen
    if chosen is None:
        raise SettingError(f"row is {row}; the manifest has {count} rows. Choose one of them.")
    return chosen, count
