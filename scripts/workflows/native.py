"""ComfyUI's own sampler between our words and our decoder."""

from __future__ import annotations

from typing import Any

from acestep_core.weights.download import SINGLE_FILE
from scripts.workflows.model import Column, Group, Node, Note, Wire, Workflow
from scripts.workflows.parts import LOAD, MODEL, OVER_SAMPLER, OVER_WORDS, words
from scripts.workflows.words import BLUE, GREEN, RED

FILE = {
    "name": SINGLE_FILE,
    "url": "https://huggingface.co/Comfy-Org/ACE-Step_ComfyUI_repackaged/resolve/main/all_in_one/"
    f"{SINGLE_FILE}",
    "directory": "checkpoints",
}
ASKED: dict[str, Any] = {
    "seed": 4242,
    "steps": 50,
    "cfg": 5.0,
    "sampler_name": "euler",
    "scheduler": "simple",
}
ASKED |= {"model": Wire("shift", "MODEL"), "positive": Wire("positive", "conditioning")}
ASKED |= {"negative": Wire("negative", "CONDITIONING"), "latent_image": Wire("empty", "LATENT")}
BOTH = {"tags": Wire("tags", "tags"), "lyrics": Wire("lyrics", "lyrics")}
BLANK = {"conditioning": Wire("positive", "conditioning")}
SAVED = {"audio": Wire("decode", "audio"), "filename_prefix": "audio/ACE-Step"}
ABOUT = Note(
    "**ComfyUI's own sampler**, with lyrics read in their own languages, and this pack's"
    " decoder. It needs ComfyUI's ACE-Step checkpoint; the page offers to download it.",
    height=150,
)
CHECKPOINT = Node("CheckpointLoaderSimple", {"ckpt_name": SINGLE_FILE}, models=(FILE,))
NATIVE = Workflow(
    "native_interop",
    "ACE-Step v1 15 Native sampler of ComfyUI",
    "Native sampler",
    (
        Column(
            225,
            {"load": LOAD, "note": ABOUT},
            {"checkpoint": CHECKPOINT},
        ),
        Column(
            235,
            words(),
            {
                "shift": Node(
                    "ModelSamplingSD3", {"shift": 5.0, "model": Wire("checkpoint", "MODEL")}
                )
            },
            OVER_WORDS,
            36,
        ),
        Column(
            225,
            {
                "positive": Node("AceSuiteToConditioning", BOTH, "To Conditioning"),
                "empty": Node(
                    "EmptyAceStepLatentAudio", {"seconds": 60.0, "batch_size": 1}, "Length"
                ),
            },
            drop=OVER_SAMPLER,
            gap=36,
        ),
        Column(
            225,
            {
                "negative": Node("ConditioningZeroOut", BLANK, space=200),
                "sampler": Node("KSampler", ASKED),
            },
            drop=OVER_SAMPLER,
            gap=36,
        ),
        Column(
            242,
            {
                "decode": Node(
                    "AceSuiteDCAEDecode", {"latent": Wire("sampler", "LATENT"), **MODEL}
                ),
                "save": Node("AceSuiteSaveAudio", SAVED),
            },
        ),
    ),
    (
        Group("Words", ("load", "note", "tags", "lyrics"), BLUE),
        Group("ComfyUI's model", ("checkpoint", "shift"), RED),
        Group("Music", ("positive", "empty", "negative", "sampler", "decode", "save"), GREEN),
    ),
)
