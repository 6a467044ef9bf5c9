"""Writes the table of packages that are installed: what for, licence, size, what happens without.

    python -m scripts.dependencies           docs/dependencies.md
    python -m scripts.dependencies --check   writes nothing; fails where the page is not current

requirements.txt + WORDS (ours) + installed metadata (licence, size) -> rows

Sizes are of the machine that wrote the page and are not checked.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "dependencies.md"
HEAD = """# Packages

What `requirements.txt` brings, what else is used where it is there, and what happens without.
Written by `python -m scripts.dependencies` from the packages' own metadata and our words; sizes are
megabytes on the disk of the machine that wrote it. Nothing is vendored, and nothing is fetched at
run time unless you ask for it.

CI makes a list for machines with every push (SBOM, CycloneDX) and looks for known holes
(`pip-audit -r requirements.txt`).
"""
COLUMNS = "| package | what for | licence | MB | without it |\n|---|---|---|---:|---|"
# What for, and what happens without.
WORDS = {
    "av": ("sound files in and out", "files are neither read nor written; an error says so"),
    "einops": ("the networks' shapes", "no model loads"),
    "huggingface_hub": ("`download`, when you ask for it", "you fetch the files by hand"),
    "num2words": ("numbers in lyrics as words", "digits stay digits; a warning"),
    "numpy": ("arrays at every edge", "nothing runs; ComfyUI brings it"),
    "Pillow": ("spectrograms and other pictures", "no pictures"),
    "py3langid": ("the language of a line of lyrics", "a simpler rule; a warning"),
    "pyloudnorm": ("loudness in LUFS", "levels are compared as RMS; a warning"),
    "pypinyin": ("Chinese lyrics", "Chinese is refused; an error says so"),
    "safetensors": ("checkpoints, adapters, latents", "no model loads"),
    "sentencepiece": ("single-file checkpoints' tags", "such a checkpoint is refused"),
    "tokenizers": ("tags and lyrics as tokens", "no model is asked; an error says so"),
    "tqdm": ("progress on the command line", "the command line makes nothing"),
}
OTHERS = {
    "torch": ("everything that computes", "nothing runs; ComfyUI brings it"),
    "torchaudio": ("quicker resampling", "our own kernel, the same to rounding"),
    "aiohttp": ("the REST face, audio by URL", "only inside ComfyUI, which brings it"),
    "pydantic": ("checks of the REST face", "only inside ComfyUI, which brings it"),
    "scipy": ("comes with pyloudnorm: its filters", "as without pyloudnorm"),
    "cutlet": ("Japanese lyrics", "a simpler rule; a warning"),
    "fugashi": ("Japanese lyrics", "a simpler rule; a warning"),
}
# Where the metadata says it in no way that a table can hold.
SAID = {"scipy": "BSD-3-Clause"}
UNSAID = ("", "UNKNOWN")


@dataclass(frozen=True)
class Row:
    name: str
    use: str
    licence: str
    megabytes: float
    without: str

    @property
    def text(self) -> str:
        size = f"{self.megabytes:.1f}"
        return f"| {self.name} | {self.use} | {self.licence} | {size} | {self.without} |"


def required() -> list[str]:
    """Packages of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [re.split(r"[<>=!~;\[ ]", line)[0] for line in lines if line and line[0] not in "#-"]


def licence_of(found: Distribution) -> str:
    """As short as its metadata has it."""
    about = found.metadata
    name = str(about["Name"])
    held = [about["License-Expression"], about["License"]]
    texts = [SAID.get(name, ""), *(str(one) for one in held if one)]
    kinds = [one.split(" :: ") for one in about.get_all("Classifier") or []]
    texts += [one[-1] for one in kinds if one[0] == "License"]
    short = (one for one in texts if one not in UNSAID and len(one) < 70 and "\n" not in one)
    return next(short, "not stated")


def row_of(name: str, use: str, without: str) -> Row:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return Row(name, use, "not installed", 0.0, without)
    size = sum(file.size or 0 for file in found.files or ())
    return Row(name, use, licence_of(found), size / 1e6, without)


def page() -> str:
    missing = [name for name in required() if name not in WORDS]
    left = [name for name in WORDS if name not in required()]
    if missing or left:
        raise SystemExit(f"WORDS lacks {missing} and has {left}, which is not required.")
    tables = (("## Installed with the pack", WORDS), ("## Used where it is there", OTHERS))
    parts = [HEAD]
    for title, words in tables:
        rows = [row_of(name, *said).text for name, said in words.items()]
        parts.append("\n".join([title, "", COLUMNS, *rows]) + "\n")
    return "\n".join(parts)


def fixed(text: str) -> str:
    """The page without what differs from machine to machine: sizes, licences' spellings."""
    return re.sub(r"\|[^|\n]*\| +[\d.]+ \|", "|", text)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args(words).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if fixed(PAGE.read_text(encoding="utf-8")) == fixed(page()):
        return 0
    print(f"{PAGE.name} is not current: python -m scripts.dependencies")
    return 1


if __name__ == "__main__":
    sys.exit(main())
