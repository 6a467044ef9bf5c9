"""Rows: the model and its adapters, sound files, records."""

from __future__ import annotations

from ..config import OUTPUT_RATE, SAMPLE_RATE
from .making import AUTO, MAKING
from .setting import At, Setting

LOAD, LORA, SAVE = "AceSuiteLoad", "AceSuiteLoRA", "AceSuiteSaveAudio"
PARAMETERS = "AceSuiteLoadParameters"
MODEL_COMMANDS = (*MAKING, "batch", "encode", "decode")
BITS = ("16", "24", "32")
WEBDATASET = "webdataset"
NONE = "none"  # what a list of files begins with
FAIL, SKIP = "error", "skip"  # for a LoRA of a record that is not there

MODEL_ROWS = (
    Setting(
        "checkpoint",
        "checkpoint",
        kind="choice",
        about="auto takes the first ACE-Step v1 checkpoint in the list. Single files are looked"
        " for in models/checkpoints and models/diffusion_models, folders in models/acestep. The"
        " small model comes with the pack and only demonstrates. download fetches the released one"
        " (8.3 GB) when the node runs.",
        host="ckpt_name",
        at=(At(LOAD),),
    ),
    Setting(
        "dtype",
        "dtype",
        kind="choice",
        default="auto",
        choices=("auto", "bfloat16", "float32"),
        about="What the weights of the transformer and the text encoder are kept in. auto:"
        " bfloat16 where the device can compute it, else float32.",
        host="weight_dtype",
        at=(At(LOAD), At(MODEL_COMMANDS, "--dtype", also="float16")),
    ),
    Setting(
        "memory",
        "memory",
        kind="choice",
        default="auto",
        choices=("auto", "offload"),
        about="auto: networks stay on the device until room is needed. offload: each leaves the"
        " device right after its work; slower, leaves more room for others.",
        at=(At(LOAD),),
    ),
    Setting(
        "codec_dtype",
        "codec_dtype",
        kind="choice",
        default=AUTO,
        choices=(AUTO, "float32", "float16", "bfloat16"),
        about="What the autoencoder and the vocoder compute in. auto: float32, unless ComfyUI was"
        " told otherwise. float16, on a GPU: half the memory, the same to the ear; what it cannot"
        " hold is made again in float32. bfloat16: the fastest on a CPU, with a little noise.",
        host="vae_dtype",
        at=(At(LOAD), At(MODEL_COMMANDS, "--codec-dtype")),
    ),
    Setting(
        "lora",
        "lora",
        kind="choice",
        about="Files in models/loras, and those in models/acestep with lora in their path. none"
        " passes the model on.",
        host="lora_name",
        at=(At(LORA),),
    ),
    Setting(
        "Applied.weight",
        "Weight of a LoRA",
        kind="number",
        low=-3,
        high=3,
        step=0.05,
        about="How strongly it counts; 0 is nothing.",
        record="lora_weight",
        host="strength_model",
        at=(At(LORA, "strength_model"),),
    ),
    Setting(
        "Applied.training_scale",
        "Training scale of a LoRA",
        kind="switch",
        about="Of the official format alone: multiply by the scale that its metadata or"
        " config.json tells (alpha / rank), which the original and ComfyUI leave out. An alpha that"
        " a file gives a module is always applied, as ComfyUI does.",
        at=(At((*MAKING, "batch"), "--lora-training-scale"), At(LORA)),
    ),
)

FILE_ROWS = (
    Setting(
        "sample_rate",
        "Sample rate (Hz)",
        unit="Hz",
        kind="whole",
        default=OUTPUT_RATE,
        low=8_000,
        high=192_000,
        about=f"Sample rate of the result in Hz. The model's own is {SAMPLE_RATE}; the original"
        f" project writes {OUTPUT_RATE}.",
        host="sample_rate",
        at=(
            At(("generate", "decode"), "--rate"),
            At(
                "AceSuiteDCAEDecode",
                default=SAMPLE_RATE,
                about=f"Sample rate of the result in Hz. The model's own is {SAMPLE_RATE}; the"
                f" original project writes {OUTPUT_RATE}. With a task that has a source, the"
                " source's rate is kept.",
            ),
        ),
    ),
    Setting(
        "filename_prefix",
        "filename_prefix",
        kind="text",
        default="audio/%title%",
        about="Folder and start of the name. %title% is the song's title, %seed% its seed; %year%,"
        " %month% and %day% are known, too.",
        host="filename_prefix",
        at=(At(SAVE),),
    ),
    Setting(
        "format",
        "format",
        kind="choice",
        default="flac",
        about="flac keeps everything and is the one to share. mp3 and opus hold workflows of up to"
        " 60 kB; wav holds the settings alone, as a comment.",
        record="format",
        at=(
            At(SAVE),
            At(
                "batch",
                "--format",
                also=WEBDATASET,
                about="Of the files; webdataset is tar files of FLAC and JSON, of about 1 GB each.",
            ),
        ),
    ),
    Setting(
        "bits",
        "bits",
        kind="choice",
        default=BITS[0],
        choices=BITS,
        about="flac: 16, 24; wav: 16, 24, 32 (float).",
        at=(At(SAVE),),
    ),
    Setting(
        "kilobits",
        "kilobits",
        unit="kbit/s",
        kind="whole",
        default=0,
        low=0,
        high=512,
        about="Per second, for mp3 and opus; 0 is the usual 256 and 160.",
        at=(At(SAVE),),
    ),
    Setting(
        "save_workflow",
        "save_workflow",
        kind="switch",
        default=True,
        about="Dropped on the page, the file then opens its workflow.",
        at=(At(SAVE),),
    ),
    Setting(
        "save_settings",
        "save_settings",
        kind="switch",
        default=False,
        about="Also write the settings beside it, as NAME_input_params.json, which"
        " python -m acestep_core generate --replay repeats.",
        at=(At(SAVE),),
    ),
    Setting(
        "title",
        "title",
        kind="text",
        default="",
        about="A line above the picture.",
        at=(
            At("AceSuiteMelView"),
            At(
                SAVE,
                about="For players and the file's name. Empty: the first line that is sung, or the"
                " first tags. Tags and lyrics go into the file's own fields as well.",
            ),
        ),
    ),
    Setting(
        "for_masks",
        "for masks",
        kind="switch",
        default=False,
        about="Without title and scales: the picture's whole width is the clip, and a mask drawn"
        " over it means what it shows.",
        at=(At("AceSuiteMelView"),),
    ),
    Setting(
        "file",
        "file",
        kind="choice",
        default=NONE,
        about="Files that end in _input_params.json, in ComfyUI's input folder or models/acestep."
        " none takes the text below.",
        at=(At(PARAMETERS),),
    ),
    Setting(
        "text",
        "text",
        kind="words",
        default="",
        about="The content of such a file; where there is some, it comes before the file.",
        at=(
            At(PARAMETERS),
            At(
                "AceSuiteFromManifest",
                about='Rows as JSON, a line each, such as {"tags": "pop, piano", "seed": 1}; where'
                " there are some, they come before the file.",
            ),
        ),
    ),
    Setting(
        "manifest",
        "manifest",
        kind="choice",
        default=NONE,
        about="Files in ComfyUI's input folder that end in .jsonl, .csv, .tsv or .parquet. none"
        " takes the text below.",
        at=(At("AceSuiteFromManifest"),),
    ),
    Setting(
        "sound_file",
        "audio",
        kind="choice",
        default=NONE,
        about="Sounds in ComfyUI's input folder: FLAC, WAV, MP3, OGG, Opus, M4A, up to 60 minutes."
        " An API prompt may name one below it, or of another folder: folder/song.flac [output].",
        at=(At("AceSuiteOpenAudio", "audio"),),
    ),
    Setting(
        "manifest_row",
        "row",
        kind="whole",
        default=1,
        low=1,
        high=10_000_000,
        about="Which row, counted from 1.",
        at=(At("AceSuiteFromManifest", "row"),),
    ),
    Setting(
        "absent_lora",
        "lora",
        kind="choice",
        default=FAIL,
        choices=(FAIL, SKIP),
        about="When the file names a LoRA that is not there. error says its name; skip leaves all"
        " of the file's LoRAs out. The record keeps naming them.",
        at=(At(PARAMETERS, "lora"),),
    ),
)
