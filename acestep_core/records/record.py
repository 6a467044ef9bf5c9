"""The parameter file beside a song, as the original project writes and reads it.

    song.flac -> song_input_params.json -> Record -> the same keys, our own under "ace_core"

Files of the original's first weeks lack half of the keys; what is missing has the value that
the original would have used. Keys that nobody knows are kept, so reading and writing loses
nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TypeAlias

from ..atomic import FileError, check_place, replaced
from ..settings import CORRECTED, ORIGINAL
from ..types import compat_of
from ..weights.download import sha256

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SUFFIX = "_input_params.json"
OWN_KEY = "ace_core"  # the original's interface ignores a key it does not know
SOUND = "audio_sha256"  # in our own part: of the sound file the record was written for
SHOWN = 60  # characters of a wrong value in a message


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was asked for, under the original's names and in its order. Numbers stay as they are.

    `ace_core` holds what only this project knows: version, compat, rng, dtype, device, model, the
    hash of the sound file, the language of each lyric line, source tags and lyrics of an edit,
    degradations.
    """

    format: str = "wav"
    lora_name_or_path: str = "none"
    lora_weight: float = 1
    task: str = "text2music"
    prompt: str
    lyrics: str
    audio_duration: float
    infer_step: int = 60
    guidance_scale: float = 15
    scheduler_type: str = "euler"
    cfg_type: str = "apg"
    omega_scale: float = 10
    guidance_interval: float = 0.5
    guidance_interval_decay: float = 0
    min_guidance_scale: float = 3
    use_erg_tag: bool = True
    use_erg_lyric: bool = True
    use_erg_diffusion: bool = True
    oss_steps: tuple[int, ...] = ()
    timecosts: dict[str, Json] = field(default_factory=dict)
    actual_seeds: tuple[int, ...] = ()
    retake_seeds: tuple[int, ...] = ()
    retake_variance: float = 0.5
    guidance_scale_text: float = 0
    guidance_scale_lyric: float = 0
    repaint_start: float = 0
    repaint_end: float = 0
    edit_n_min: float = 0.0
    edit_n_max: float = 1.0
    edit_n_avg: int = 1
    src_audio_path: str | None = None
    edit_target_prompt: str | None = None
    edit_target_lyrics: str | None = None
    audio2audio_enable: bool = False
    ref_audio_strength: float = 0.5
    ref_audio_input: str | None = None
    audio_path: str = ""
    extra: dict[str, Json] = field(default_factory=dict)  # keys of other programs
    ace_core: dict[str, Json] = field(default_factory=dict)

    @property
    def is_original(self) -> bool:
        """Written by the original project, whose results need its defects to be repeated."""
        return not self.ace_core

    @property
    def compat(self) -> str:
        """The mode that repeats this record."""
        if self.is_original:
            return ORIGINAL
        return compat_of(str(self.ace_core.get("compat", CORRECTED)))

    @property
    def lora(self) -> str | None:
        """Name or path of the adapter; the original writes "none" where there is none."""
        return None if self.lora_name_or_path in ("", "none") else self.lora_name_or_path


def record_path(audio_path: str | Path) -> Path:
    """Where the record of a sound file lies: song.v2.flac -> song.v2_input_params.json.

    Only the final extension goes, and the name always gets longer: it is never the sound file.
    ComfyUI's names end in an underscore already: song_00001_.flac -> song_00001_input_params.json.
    """
    path = Path(audio_path)
    return path.with_name(path.stem.removesuffix("_") + SUFFIX)


def read_record(path: str | Path) -> Record:
    """The record in a file of this project or of the original, old or new."""
    path = Path(path)
    return record_from(_parsed(path), path)


def parsed_record(text: str, path: Path) -> Record:
    """The record in a text; `path` is what messages call it."""
    return record_from(_object(text, path), path)


def record_from(named: Mapping[str, Json], path: Path) -> Record:
    values = dict(named)
    own = values.pop(OWN_KEY, {})
    if not isinstance(own, dict):
        raise _wrong(path, OWN_KEY, own, "an object")
    known: dict[str, Json | tuple[int, ...]] = {}
    for entry in _entries():
        if entry.name in values:
            known[entry.name] = _checked(path, entry, values.pop(entry.name))
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise FileError(
                f"{path} is not a parameter file: it has no {entry.name!r}. "
                f"Choose the file that ends in {SUFFIX} beside a song."
            )
    return Record(**known, extra=values, ace_core=own)  # pyright: ignore[reportArgumentType]


def write_record(audio_path: str | Path, record: Record) -> Path:
    """Write the record beside its sound file and return where."""
    path = check_place(record_path(audio_path))
    if Path(audio_path).is_file():
        record = replace(record, ace_core={**record.ace_core, SOUND: sha256(Path(audio_path))})
    values = values_of(record)
    values["audio_path"] = record.audio_path or Path(audio_path).name
    try:
        text = json.dumps(values, indent=4, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, as some web forms cut emoji
        text = json.dumps(values, indent=4).encode()
    with replaced(path) as temporary:
        temporary.write_bytes(text)
    return path


def of_another_sound(record: Record, path: Path) -> str:
    """What is to be said where the sound beside the record at `path` is not the one it is of:
    a run that was killed in between, or another that wrote to the same place."""
    name, written = Path(record.audio_path).name, record.ace_core.get(SOUND)
    if not name or not written:
        return ""
    sound = path.with_name(name)
    if not sound.is_file() or sha256(sound) == written:
        return ""
    return f"{sound.name} is not the sound that {path.name} was written for (SHA-256 differs)."


def values_of(record: Record) -> dict[str, Json]:
    """A record as its file holds it."""
    values: dict[str, Json] = {}
    for entry in _entries():
        value = getattr(record, entry.name)
        values[entry.name] = list(value) if isinstance(value, tuple) else value
    values |= {key: value for key, value in record.extra.items() if key not in values}
    return {**values, OWN_KEY: record.ace_core} if record.ace_core else values


def _entries() -> list[Field[object]]:
    return [entry for entry in fields(Record) if entry.name not in ("extra", OWN_KEY)]


def _parsed(path: Path) -> dict[str, Json]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors may add the mark
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror or error}).") from error
    except ValueError as error:
        raise _no_json(path, error) from error
    return _object(text, path)


def _object(text: str, path: Path) -> dict[str, Json]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(path, error) from error
    if not isinstance(values, dict):
        raise FileError(f"{path} is not a parameter file: it holds no object of named values.")
    return values


def _no_json(path: Path, error: Exception) -> FileError:
    return FileError(
        f"{path} is not a parameter file: no JSON in UTF-8 ({error}). "
        f"Choose the file that ends in {SUFFIX} beside a song."
    )


def _checked(path: Path, entry: Field[object], value: Json) -> Json | tuple[int, ...]:
    """The value in the type its field has."""
    read, expected = READERS[str(entry.type)]
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(path, entry.name, value, expected) from error


def _wrong(path: Path, key: str, value: Json, expected: str) -> FileError:
    shown = json.dumps(value, ensure_ascii=False)[:SHOWN]
    return FileError(f"{path}: {key!r} is {shown}; it must be {expected}. Correct it in the file.")


def _exactly(kind: type) -> Callable[[Json], Json]:
    def read(value: Json) -> Json:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return read


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError
    return value


def _whole(value: Json) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _whole_numbers(value: Json) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError
    return tuple(_whole(item) for item in value)


def _text_or_none(value: Json) -> Json:
    return None if value is None else _exactly(str)(value)


# By the annotation of the field: how a value is read, and what a message calls it.
READERS: dict[str, tuple[Callable[[Json], Json | tuple[int, ...]], str]] = {
    "str": (_exactly(str), "text"),
    "str | None": (_text_or_none, "text or null"),
    "bool": (_exactly(bool), "true or false"),
    "float": (_number, "a number"),
    "int": (_whole, "a whole number"),
    "tuple[int, ...]": (_whole_numbers, "a list of whole numbers"),
    "dict[str, Json]": (_exactly(dict), "an object"),
}
