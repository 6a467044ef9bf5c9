"""Songs of other lengths: a step's time, the decoder's, and their peaks, where time is left."""

from __future__ import annotations

from acestep_core.networks.memory import is_out_of_memory
from acestep_core.weights.model import Model

from .parts import Figures, Found, Skip, Trial, said
from .song import codec_of, conditions, decoded, middle, recipe_of, sampled, spoken

SLACK = 1.5  # times what the song's time lets expect


def lengths(trial: Trial) -> Found:
    found, model = Found(), trial.made()
    rows: list[Figures] = []
    for seconds in trial.sizes.lengths:
        try:
            if trial.song is not None:
                expected = trial.song * max(seconds / trial.sizes.seconds, 0.2)
                trial.needs(SLACK * expected, f"{seconds:g} s of music")
            rows.append(row_of(trial, model, seconds, found))
        except Skip as reason:
            found.skipped.append(str(reason))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            found.skipped.append(f"{seconds:g} s of music: {str(error).splitlines()[0]}")
        trial.card.tidy()
    found.figures["rows"] = rows
    return found


def row_of(trial: Trial, model: Model, seconds: float, found: Found) -> Figures:
    given = conditions(trial, model)
    with said() as told, trial.card.memory() as sampling:
        recipe = recipe_of(seconds, trial.sizes.steps)
        latent, watch = sampled(trial, model, given, recipe)
    with trial.card.memory() as sounding:
        _, sound = decoded(trial.card, codec_of(model), latent)
    guided = middle(watch.seconds(guided=True))
    found.lines.append(
        f"{latent.seconds:5.1f} s: denoising {watch.whole:.2f} s ({spoken(guided)} a guided step),"
        f" peak {gigabytes(sampling.bytes)}; decoding {sound:.2f} s, peak"
        f" {gigabytes(sounding.bytes)}{'; branches in turn: memory was short' if told else ''}"
    )
    return {
        "seconds": latent.seconds,
        "denoise_s": round(watch.whole, 4),
        "guided_step_s": guided,
        "decode_s": round(sound, 4),
        "sampling_peak": sampling.bytes,
        "decoding_peak": sounding.bytes,
        "smaller_path": bool(told),
    }


def gigabytes(count: int | None) -> str:
    return "not known" if count is None else f"{count / 1e9:.2f} GB"
