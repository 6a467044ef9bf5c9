"""The weights behind the recorded values, written as checkpoint files and loaded as such.

    recorded keys and shapes -> files in the true layout -> recognise -> load_part

So every golden case also goes through detection, the key map and the strict loader.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

from acestep_core.sound.mel import filterbank, hann_window
from acestep_core.weights.checkpoint import FILES, FOLDERS, Target, load_part, recognise
from acestep_core.weights.model import build
from acestep_core.weights.tiny import computed

from .record import Record
from .where import HERE, Where

# Where the record of each part stands: family, prefix of its entries.
RECORDS = {
    "transformer": ("transformer", ""),
    "dcae": ("codec", "dcae_"),
    "vocoder": ("codec", "vocoder_"),
    "text_encoder": ("text_encoder", ""),
}
TRUE_BUFFERS = {
    "mel_transform.spectrogram.window": lambda: hann_window(2048),
    "mel_transform.mel_scale.fb": lambda: filterbank(2048, 128, 40.0, 16000.0, 44100),
}


def network(part: str, record: Record, where: Where = HERE) -> nn.Module:
    """The recorded network of a part, on a device and in its dtype."""
    _, prefix = RECORDS[part]
    shapes = record.info[f"{prefix}state_dict"]
    config = dict(record.info["config"] if not prefix else record.info[prefix.rstrip("_")])
    if "lyric_encoder" in record.info:
        config["lyric_encoder"] = record.info["lyric_encoder"]
    return _loaded(part, json.dumps(shapes), json.dumps(config), where)


@cache
def _loaded(part: str, shapes: str, config: str, where: Where) -> nn.Module:
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / FOLDERS[part], part, json.loads(shapes), json.loads(config))
        checkpoint = recognise(Path(folder))
        module = build(part, checkpoint.config)
        return load_part(module, part, checkpoint, Target(where.dtype, where.device))


def _write(
    place: Path, part: str, shapes: Mapping[str, list[int]], config: Mapping[str, Any]
) -> None:
    place.mkdir()
    tensors = {}
    for key, shape in shapes.items():
        make = TRUE_BUFFERS.get(key)
        tensors[key] = make().contiguous() if make else computed(key, shape)
    save_file(tensors, str(place / FILES[part]))
    (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
