"""The shipped workflows, node by node, before a page has seen them.

Draft(nodes, notes) -> .prompt (API form), .places (for the page)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from acestep_core.sound.files import write_audio

TAGS = "indie folk, male voice, acoustic guitar, warm, 96 bpm"
WORDS = """[verse]
Morning comes in over the water
Light on the windows, light on the wall
I hear a train going out to the harbour
Calling a name that I used to call

[chorus]
Carry me, carry me over
Slow as the tide coming in
Carry me, carry me over
Back where the roads all begin"""
NEW_WORDS = WORDS.replace("out to the harbour", "over the mountain")
SONG = "song.flac"  # in the input folder

Place = tuple[int, int, int, int]  # x, y, width, height


@dataclass(frozen=True)
class Node:
    kind: str
    place: Place
    inputs: dict[str, Any] = field(default_factory=dict)  # values, or (key of a node, slot)


@dataclass(frozen=True)
class Draft:
    nodes: dict[str, Node]
    notes: list[tuple[int, int, int, int, str]]

    @property
    def ids(self) -> dict[str, str]:
        return {key: str(number) for number, key in enumerate(self.nodes, start=1)}

    @property
    def prompt(self) -> dict[str, Any]:
        return {
            self.ids[key]: {
                "class_type": node.kind,
                "inputs": {name: self._value(value) for name, value in node.inputs.items()},
            }
            for key, node in self.nodes.items()
        }

    @property
    def places(self) -> dict[str, Place]:
        return {self.ids[key]: node.place for key, node in self.nodes.items()}

    def _value(self, value: Any) -> Any:
        return [self.ids[value[0]], value[1]] if isinstance(value, tuple) else value


def write_source(path: Path, seconds: float = 5.0) -> None:
    """A source for the workflows that change one: soft noise, at a rate that is nobody's own."""
    wave = torch.randn(2, round(seconds * 32_000), generator=torch.Generator().manual_seed(0))
    write_audio(path, wave * 0.05, 32_000)


def _song(tags: str = TAGS, lyrics: str = WORDS, **sampler: Any) -> dict[str, Node]:
    """Load, tags, lyrics, sampler, decode, save: what nearly every workflow has."""
    asked = {"seed": 4242, "seconds": 60.0, "batch_size": 1, **sampler}
    words = {"tags": ("tags", 0), "lyrics": ("lyrics", 0)}
    model = {"model": ("load", 0)}
    saved = {"filename_prefix": "audio/%title%", "audio": ("decode", 0), "info": ("sampler", 1)}
    return {
        "load": Node("AceSuiteLoad", (40, 60, 330, 118), {"checkpoint": "auto"}),
        "tags": Node("AceSuiteTagEncode", (420, 60, 400, 140), {"tags": tags, **model}),
        "lyrics": Node("AceSuiteLyricEncode", (420, 250, 400, 330), {"lyrics": lyrics, **model}),
        "sampler": Node("AceSuiteSampler", (1250, 60, 330, 330), {**asked, **model, **words}),
        "decode": Node(
            "AceSuiteDCAEDecode", (1630, 60, 330, 120), {"latent": ("sampler", 0), **model}
        ),
        "save": Node("AceSuiteSaveAudio", (1630, 240, 330, 280), {**saved, **model}),
    }


def _changed(
    song: dict[str, Node], kind: str, compares: bool = True, **settings: Any
) -> dict[str, Node]:
    """A source, a task on it, and the song made of it."""
    nodes = {
        **song,
        "source": Node("LoadAudio", (40, 260, 330, 140), {"audio": SONG}),
        "task": Node(kind, (870, 60, 330, 300), {"source_audio": ("source", 0), **settings}),
    }
    sampler = nodes["sampler"]
    nodes["sampler"] = Node(sampler.kind, sampler.place, {**sampler.inputs, "task": ("task", 0)})
    if compares:
        heard = {"audio": ("source", 0), "takes": ("decode", 0), "task": ("task", 0)}
        nodes["compare"] = Node("AceSuiteCompareTakes", (2010, 60, 330, 140), heard)
        nodes["picture"] = Node("PreviewImage", (2010, 260, 460, 420), {"images": ("compare", 0)})
    return nodes


def _edit(mode: str, tags: str, lyrics: str) -> dict[str, Node]:
    nodes = _changed(
        _song(tags, lyrics),
        "AceSuiteRemixEdit",
        mode=mode,
        source_tags=("source_tags", 0),
        source_lyrics=("source_lyrics", 0),
    )
    model = {"model": ("load", 0)}
    nodes["source_tags"] = Node("AceSuiteTagEncode", (420, 640, 400, 140), {"tags": TAGS, **model})
    nodes["source_lyrics"] = Node(
        "AceSuiteLyricEncode", (420, 830, 400, 330), {"lyrics": WORDS, **model}
    )
    return nodes


def _takes() -> dict[str, Node]:
    nodes = _song(batch_size=3)
    task = {"source_seed": 4242, "variance": 0.2}
    nodes["task"] = Node("AceSuiteRetake", (870, 60, 330, 110), task)
    nodes["sampler"].inputs.update(task=("task", 0), seed=1)
    nodes["compare"] = Node("AceSuiteCompareTakes", (2010, 60, 330, 140), {"audio": ("decode", 0)})
    nodes["picture"] = Node("PreviewImage", (2010, 260, 460, 420), {"images": ("compare", 0)})
    return nodes


def _lora() -> dict[str, Node]:
    nodes = _song()
    nodes["lora"] = Node(
        "AceSuiteLoRA",
        (870, 60, 330, 120),
        {"model": ("load", 0), "lora": "none", "strength_model": 1.0},
    )
    nodes["sampler"].inputs["model"] = ("lora", 0)
    return nodes


def _written() -> dict[str, Node]:
    nodes = _song()
    prompt = "A warm folk song about coming home by the sea."
    nodes["writer"] = Node(
        "AceSuiteSongWriter", (40, 260, 330, 260), {"prompt": prompt, "seed": 1, "seconds": 60.0}
    )
    nodes["tags"].inputs["tags"] = ("writer", 0)
    nodes["lyrics"].inputs["lyrics"] = ("writer", 1)
    return nodes


def _native() -> dict[str, Node]:
    """ComfyUI's own sampler between our words and our decoder."""
    song = _song()
    nodes = {key: song[key] for key in ("load", "tags", "lyrics")}
    words = {"tags": ("tags", 0), "lyrics": ("lyrics", 0)}
    file = {"ckpt_name": "ace_step_v1_3.5b.safetensors"}
    nodes["checkpoint"] = Node("CheckpointLoaderSimple", (40, 260, 330, 100), file)
    nodes["positive"] = Node("AceSuiteToConditioning", (870, 60, 330, 100), words)
    nodes["negative"] = Node(
        "ConditioningZeroOut", (870, 220, 330, 60), {"conditioning": ("positive", 0)}
    )
    nodes["shift"] = Node(
        "ModelSamplingSD3", (870, 330, 330, 60), {"model": ("checkpoint", 0), "shift": 5.0}
    )
    nodes["empty"] = Node(
        "EmptyAceStepLatentAudio", (870, 440, 330, 90), {"seconds": 60.0, "batch_size": 1}
    )
    sampler = {"seed": 4242, "steps": 50, "cfg": 5.0, "sampler_name": "euler"}
    sampler |= {"scheduler": "simple", "denoise": 1.0, "model": ("shift", 0)}
    sampler |= {"positive": ("positive", 0), "negative": ("negative", 0)}
    nodes["sampler"] = Node(
        "KSampler", (1250, 60, 330, 270), {**sampler, "latent_image": ("empty", 0)}
    )
    nodes["decode"] = song["decode"]
    nodes["save"] = Node(
        "SaveAudio",
        (1630, 240, 330, 112),
        {"audio": ("decode", 0), "filename_prefix": "audio/ACE-Step"},
    )
    return nodes


def _note(text: str, y: int = 460) -> list[tuple[int, int, int, int, str]]:
    return [(870, y, 330, 220, text)]


DRAFTS = {
    "inpaint": Draft(
        _changed(_song(), "AceSuiteInpaintMask", start=10.0, end=20.0, variance=0.5),
        _note(
            "**Inpaint.** What lies between start and end is made new; the rest stays, sample for"
            " sample. Tags and lyrics are those of the whole song."
        ),
    ),
    "extend": Draft(
        _changed(_song(), "AceSuiteExtend", before=0.0, after=30.0),
        _note("**Extend.** New music in front and at the end; the song itself stays as it is."),
    ),
    "remix": Draft(
        _edit("remix", "synthwave, male voice, analog synthesizers, driving, 110 bpm", WORDS),
        _note("**Remix.** Above: what the song shall be. Below: what it is now.", 560),
    ),
    "lyric_edit": Draft(
        _edit("lyrics", TAGS, NEW_WORDS),
        _note(
            "**Lyric edit.** Above the new words, below the old. Change a line at a time; beyond a"
            " third of the words lines are often skipped.",
            560,
        ),
    ),
    "audio_reference": Draft(
        _changed(_song(), "AceSuiteAudioReference", strength=0.5),
        _note("**Audio reference.** A new song along the lines of another, as long as that one."),
    ),
    "takes": Draft(
        _takes(),
        _note("**Takes.** Three variations of seed 4242; variance says how far they go.", 240),
    ),
    "lora": Draft(
        _lora(), _note("**LoRA.** Put the file into models/loras and choose it here.", 240)
    ),
    "prompt_to_song": Draft(
        _written(),
        _note("**Prompt to song.** The writer drafts tags and lyrics from a sentence.", 240),
    ),
    "native_interop": Draft(
        _native(),
        _note("**Native sampler**, with lyrics read in their own languages, and our decoder.", 590),
    ),
}
