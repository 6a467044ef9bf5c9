"""Figures as the tables of the model card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from acestep_core.atomic import replaced
from training.card import BEGIN, END, FILE

from .tags import BOUNDS, better, share

Figures = dict[str, Any]


def text(figures: Figures) -> str:
    parts: dict[str, Callable[[Figures], list[str]]] = {
        "codec": _codec,
        "tags": _tags,
        "editing": _editing,
        "diversity": _diversity,
    }
    lines = ["Written by `python3 dev.py bench small-model`.", ""]
    for name, write in parts.items():
        if name in figures:
            lines += [*write(figures), ""]
    return "\n".join(lines).strip()


def into_card(figures: Figures, folder: Path) -> None:
    """Put the tables between the card's two marks."""
    card = folder / FILE
    page = card.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    with replaced(card) as temporary:
        temporary.write_text(f"{head}{BEGIN}\n{text(figures)}\n{END}{tail}", encoding="utf-8")


def _codec(figures: Figures) -> list[str]:
    found = figures["codec"]
    lines = [
        "### Codec",
        "",
        f"Held-out clips ({found['clips']}): log-mel L1 **{found['log_mel_l1']:.3f}**"
        f" (asked: at most {found['asked']:g}). Waves of {found['sounded']} of them:",
        "",
        "| from the decoded mel by | LSD, dB | multi-resolution | mel L1 | tonality (1 = real) |",
        "|---|---|---|---|---|",
    ]
    names = {
        "vocoder": "the vocoder",
        "griffin_lim": "fast Griffin-Lim, 32 iterations",
        "griffin_lim_true_mel": "the same, from the true mel",
    }
    for name, row in found["distances"].items():
        values = " | ".join(
            f"{row[key]:.2f}" for key in ("lsd", "multi_resolution", "mel_l1", "tonality")
        )
        lines.append(f"| {names[name]} | {values} |")
    if found["sound"] == "griffin_lim":
        lines += [
            "",
            "The vocoder does not beat Griffin-Lim by log-spectral distance, so this model is"
            " sounded by Griffin-Lim (`model.json` says so). The vocoder ships and runs.",
        ]
    pictures = "\n\n".join(f"![original, vocoder, Griffin-Lim]({n})" for n in found["pictures"])
    return [*lines, "", pictures]


def _tags(figures: Figures) -> list[str]:
    found, plain = figures["tags"], figures.get("plain")
    lines = [
        "### Tags",
        "",
        f"{found['clips']} clips, seeds 0 to {found['clips'] - 1}, tags drawn by script; share that"
        " the probe recognises"
        " (asked: 80 % of genres or ensembles, 70 % of tempos).",
        "",
        f"| group | guidance {found['scale']:g} | none | difference, 95 % interval | random"
        " weights |",
        "|---|---|---|---|---|",
    ]
    random = figures.get("random", {}).get("right", {})
    for group, right in found["right"].items():
        cells = ["-", "-"]
        if plain:
            mean, low, high = better(found, plain, group)
            cells = [
                f"{share(plain['right'][group]):.0%}",
                f"{mean:+.2f} ({low:+.2f}, {high:+.2f})",
            ]
        last = f"{random[group]:.0%}" if group in random else "-"
        lines.append(f"| {group} | **{share(right):.0%}** | {cells[0]} | {cells[1]} | {last} |")
    return [*lines, "", *_confusion(found["confusion"]), "", *_listened(found["listened"])]


def _confusion(table: dict[str, dict[str, int]]) -> list[str]:
    kinds = list(table)
    lines = ["Wanted (rows), heard (columns):", "", "| | " + " | ".join(kinds) + " |"]
    lines.append("|---" * (len(kinds) + 1) + "|")
    for genre, row in table.items():
        cells = " | ".join(str(row[other] or "") for other in kinds)
        lines.append(f"| {genre} | {cells} |")
    return lines


def _listened(found: Figures) -> list[str]:
    lines = [
        f"Notes and beat of {found['clips']} clips beside as many held-out real ones; asked: the"
        f" mean within {BOUNDS[0]:g} to {BOUNDS[1]:g} of the real mean.",
        "",
        "| | made | real | ratio | within |",
        "|---|---|---|---|---|",
    ]
    for name, label in (("peakiness", "clean notes"), ("regularity", "steady beat")):
        made, real = found["made"][name], found["real"][name]
        ratio = made / real
        inside = "yes" if BOUNDS[0] <= ratio <= BOUNDS[1] else "no"
        lines.append(f"| {label} ({name}) | {made:.2f} | {real:.2f} | {ratio:.2f} | {inside} |")
    return lines


def _editing(figures: Figures) -> list[str]:
    found = figures["editing"]
    remix, fill, growth = found["remix"], found["inpaint"], found["extend"]

    def cell(name: str) -> str:
        mean, low, high = remix[name]
        return f"{mean:.2f} ({low:.2f}, {high:.2f})"

    return [
        "### Editing",
        "",
        f"{found['clips']} clips of its own. Remix to another style, correlation with 95 %"
        " interval:",
        "",
        "| | its source | other clips |",
        "|---|---|---|",
        f"| onset pattern | {cell('beat_own')} | {cell('beat_others')} |",
        f"| chroma | {cell('notes_own')} | {cell('notes_others')} |",
        "",
        f"The probe hears another genre than the source's in {remix['changed']} of"
        f" {found['clips']}, the wanted one in {remix['reached']}.",
        "",
        "Inpaint of 3 s, distance to what surrounds the gap (log-mel mean and movement):"
        f" fill **{fill['fill']:.2f}**, what was there {fill['old']:.2f}, noise"
        f" {fill['noise']:.2f}, silence {fill['silence']:.2f}.",
        "",
        f"Extended by 10 s: same tempo in **{growth['same_tempo']} of {found['clips']}**; between"
        f" unrelated clips {growth['by_chance']:.0%}.",
    ]


def _diversity(figures: Figures) -> list[str]:
    found = figures["diversity"]
    return [
        "### Diversity",
        "",
        f"Log-mel distance of clips of {found['prompts']} texts: between seeds"
        f" **{found['pairs']:.2f}**; of a retake to its clip, by variance:",
        "",
        "| " + " | ".join(found["retakes"]) + " |",
        "|---" * len(found["retakes"]) + "|",
        "| " + " | ".join(f"{value:.2f}" for value in found["retakes"].values()) + " |",
    ]
