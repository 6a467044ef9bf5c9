"""The text stage: a tokenizer for tag texts, and a UMT5 that tells what they say.

    drawn texts -> byte-pair tokenizer of 512 words -> tokenizer.json
    text -> UMT5 -> mean over tokens -> class of every group, or "not said"

The encoder learns the tags here in minutes, so that the denoiser does not begin with noise in
its conditions; it is then trained on together with the denoiser.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from acestep_core.atomic import replaced
from acestep_core.conditions.tags import TagTokenizer, tag_ids
from acestep_core.networks.umt5 import TextEncoder

from . import prompts
from .probe import usable
from .stage import Course, Job, Run, begun, teach
from .styles import BEAT_ANGLES, DENSITIES, MODES, STYLES

COURSE = Course("text", steps=2_000, rate=1e-3)
BATCH = 32
CORPUS = 4000  # texts that the tokenizer is made from
ALPHABET = [chr(code) for code in range(33, 127)]
CLASSES = {
    "genre": tuple(style.genre for style in STYLES),
    "ensemble": tuple(e.name for style in STYLES for e in style.ensembles),
    "tempo": tuple(BEAT_ANGLES),
    "density": DENSITIES,
    "mode": MODES,
}


def write_tokenizer(path: Path, size: int, groups: tuple[str, ...]) -> None:
    """Pad 0, end 1, unknown 2, then pieces; any printable ASCII text can be written with them."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Punctuation("isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>", "</s>", "<unk>"],
        initial_alphabet=ALPHABET,
        show_progress=False,
    )
    draw = random.Random(0)
    texts = [prompts.drawn(*prompts.anything(draw), groups, draw)[0] for _ in range(CORPUS)]
    tokenizer.train_from_iterator(texts, trainer)
    with replaced(path) as temporary:
        temporary.write_text(tokenizer.to_str(), encoding="utf-8")


def tokenizer_path(job: Job) -> Path:
    return job.places.stage(COURSE.name) / "tokenizer.json"


def tokenizer_of(job: Job) -> TagTokenizer:
    from tokenizers import Tokenizer

    path = tokenizer_path(job)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `python -m training text` first.")
    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def batch_of(texts: list[str], tokenize: TagTokenizer, device: str) -> tuple[Tensor, Tensor]:
    """Ids and mask (B, S), padded on the right."""
    rows = [tag_ids(text, tokenize) for text in texts]
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask.to(device)


class Naming:
    def __init__(self, job: Job) -> None:
        self.job, self.groups = job, usable(job.places)
        if not tokenizer_path(job).is_file():
            size = job.config.text_encoder.vocab_size
            write_tokenizer(tokenizer_path(job), size, self.groups)
        self.tokenize = tokenizer_of(job)
        self.network = cast(TextEncoder, begun(job, COURSE.name, "text_encoder"))
        self.parts: Mapping[str, nn.Module] = {"text_encoder": self.network}
        # Linear readers, one more class for "not said"; they stay on this machine.
        width = job.config.text_encoder.d_model
        heads = {group: nn.Linear(width, len(CLASSES[group]) + 1) for group in self.groups}
        self.readers = nn.ModuleDict(heads).to(job.device)
        self.companions: Mapping[str, nn.Module] = {"readers": self.readers}
        self.opponents: Mapping[str, nn.Module] = {}

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        losses, hits = self._judged(random.Random(draw.initial_seed()))
        loss = torch.stack(losses).mean()
        return {"loss": loss, "errors": 1 - hits}

    def _judged(self, draw: random.Random) -> tuple[list[Tensor], Tensor]:
        """Loss of every group, and the share of right answers."""
        said = []
        for _ in range(self.job.batch or BATCH):
            tags, bpm = prompts.anything(draw)
            said.append((tags, *prompts.drawn(tags, bpm, self.groups, draw)))
        ids, mask = batch_of([text for _, text, _ in said], self.tokenize, self.job.device)
        states = self.network(ids, mask, torch.float32)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        losses, hits = [], []
        for group in self.groups:
            classes = CLASSES[group]
            answers = [
                classes.index(tags[group]) if group in groups else len(classes)
                for tags, _, groups in said
            ]
            target = torch.tensor(answers, device=self.job.device)
            scores = self.readers[group](mean)
            losses.append(F.cross_entropy(scores, target))
            hits.append((scores.argmax(-1) == target).float().mean())
        return losses, torch.stack(hits).mean()

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        _, hits = self._judged(random.Random("held out"))
        return {"held_out_errors": float(1 - hits) + 1e-4}


def run(job: Job) -> Run:
    return teach(Naming(job), COURSE, job)
