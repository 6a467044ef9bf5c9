"""One song of each length, phase by phase: how long, how close to the machine's best, how large.

    tags, lyrics -> conditions | a few steps of each kind | decode -> a song of --song steps

The model has the released size and random weights. A step costs the same each time, so a few are
measured and the song is reckoned from them: conditions + steps x their number + decoding.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from statistics import median

import torch

from acestep_core.config import ModelConfig, TransformerConfig, frames_of
from acestep_core.sampling.guidance import GuidanceWindow, branches_of
from acestep_core.types import Guidance, Latent
from acestep_core.weights.model import Model, Placing, default_precision

from .decode import FLOP_PER_FRAME
from .gpu.card import Card, Peak
from .gpu.inplace import synthetic
from .gpu.parts import WHOLE, Trial
from .gpu.rates import DTYPES, product_rate
from .gpu.song import codec_of, conditions, decoded, prepare, recipe_of, sampled, tags_of
from .measure import last_line
from .step import flops

LENGTHS = (10.0, 30.0, 60.0, 120.0, 240.0)
STEPS = 60  # of the reckoned song: the released model's recommendation
MATMUL = 2048  # of a processor; a card takes its trial's size
WARM = 16  # latent frames


@dataclass(frozen=True)
class Phase:
    """Seconds and FLOP of one piece of work."""

    seconds: float
    flop: float

    def share(self, rate: float) -> str:
        return f"{self.flop / self.seconds / rate:.0%}"


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    card = Card.found()
    placing = Placing(card.device)
    precision = default_precision(placing)
    if options.dtype:
        precision = replace(precision, transformer=DTYPES[options.dtype])
    sizes = replace(
        WHOLE,
        config=ModelConfig(TransformerConfig(num_layers=options.blocks)),
        matmul=WHOLE.matmul if card.is_cuda else MATMUL,
        repeats=3,
    )
    trial = Trial(card, sizes, until=float("inf"))
    rates = {dtype: product_rate(trial, dtype) for dtype in {precision.transformer, precision.dcae}}
    named = {dtype: name for name, dtype in DTYPES.items()}
    listed = ", ".join(f"{named[d]} {rate / 1e12:.3g}" for d, rate in rates.items())
    print(
        f"{options.blocks} of 24 blocks, {sizes.tokens} lyric tokens, on {card.name}; matrix"
        f" products, TFLOP/s: {listed}\n"
        f"Transformer in {named[precision.transformer]}, decoder in {named[precision.dcae]};"
        f" songs of {options.song} steps; per cent: of those products' rate",
        flush=True,
    )
    trial.model = synthetic(sizes.config, placing, precision)
    rows = []
    for seconds in options.seconds:
        trial.sizes = replace(sizes, seconds=seconds)
        rows.append(row_of(trial, trial.made(), options, rates))
        card.tidy()
    last_line("song", blocks=options.blocks, steps=options.song, on=card.name, rows=rows)
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench song", description=about)
    parser.add_argument("--seconds", type=float, nargs="+", default=LENGTHS, help="of music")
    parser.add_argument("--song", type=int, default=STEPS, help="steps of the reckoned song")
    parser.add_argument("--steps", type=int, default=2, help="steps measured, of each kind")
    parser.add_argument("--dtype", choices=DTYPES, help="of the transformer; default: the pack's")
    parser.add_argument("--blocks", type=int, default=TransformerConfig().num_layers)
    return parser.parse_args(words)


def row_of(
    trial: Trial,
    model: Model,
    options: argparse.Namespace,
    rates: dict[torch.dtype, float],
) -> dict[str, object]:
    card, seconds = trial.card, trial.sizes.seconds
    given, guidance = conditions(trial, model), Guidance()
    text = card.timed(lambda: tags_of(model), 1).median
    lyrics = card.timed(lambda: prepare(model, given, guidance), 1).median
    with card.memory() as sampling:
        guided, plain = (step_of(trial, model, kind, options.steps) for kind in (True, False))
    with card.memory() as sounding:
        sound = decoding(trial, model)
    inside = sum(i in GuidanceWindow.of(guidance, options.song) for i in range(options.song))
    denoise = inside * guided.seconds + (options.song - inside) * plain.seconds
    whole = text + lyrics + denoise + sound.seconds
    wide, fine = rates[model.transformer.dtype], rates[model.dcae.dtype]
    print(
        f"  {seconds:5g} s  text {text:5.2f}, lyrics {lyrics:5.2f},"
        f" guided step {guided.seconds:7.3f} ({guided.share(wide)}),"
        f" plain {plain.seconds:7.3f} ({plain.share(wide)}),"
        f" decode {sound.seconds:7.2f} s ({sound.share(fine)});"
        f" song {whole:7.1f} s, {seconds / whole:6.3f} x real time;"
        f" peak {megabytes(sampling)} / {megabytes(sounding)} MiB",
        flush=True,
    )
    return {
        "seconds": seconds,
        "text_s": round(text, 4),
        "lyrics_s": round(lyrics, 4),
        "guided_step_s": round(guided.seconds, 4),
        "plain_step_s": round(plain.seconds, 4),
        "decode_s": round(sound.seconds, 3),
        "song_s": round(whole, 2),
        "times_real_time": round(seconds / whole, 4),
        "peak_bytes": {"sampling": sampling.rise, "decoding": sounding.rise},
    }


def step_of(trial: Trial, model: Model, guided: bool, steps: int) -> Phase:
    """A step that asks every branch, or one; the first pays for the conditions and is left out."""
    seconds, given = trial.sizes.seconds, conditions(trial, model)
    guidance = Guidance(interval=1.0 if guided else 0.0)
    recipe = recipe_of(seconds, steps + 1, guidance)
    _, watch = sampled(trial, model, given, recipe)
    tokens = 1 + given[0].states.shape[1] + given[1].ids.shape[1]
    blocks = model.config.transformer.num_layers
    work = flops(blocks, frames_of(seconds), tokens, reuse=True)
    return Phase(median(watch.seconds(guided)), work * (branches_of(guidance) if guided else 1))


def decoding(trial: Trial, model: Model) -> Phase:
    """A latent of the trial's length, after a short one that only warms up."""
    codec, draw = codec_of(model), torch.Generator().manual_seed(0)
    latent = Latent(torch.randn((1, 8, 16, frames_of(trial.sizes.seconds)), generator=draw))
    decoded(trial.card, codec, Latent(latent.z[..., :WARM]))
    _, took = decoded(trial.card, codec, latent)
    return Phase(took, latent.frames * FLOP_PER_FRAME)


def megabytes(peak: Peak) -> str:
    return "?" if peak.rise is None else f"{peak.rise / 2**20:.0f}"
