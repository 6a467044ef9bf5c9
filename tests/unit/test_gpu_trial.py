"""`dev.py gpu` without a card: the whole command in small, and the lines that only a card runs.

For those the CPU pretends to be one: torch.cuda's functions answer, tensors stay where they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import dev
from acestep_core.config import ModelConfig
from acestep_core.networks.transformer import Transformer
from acestep_core.types import Branch, Guidance
from acestep_core.weights.model import Placing, build, default_precision
from bench import gpu
from bench.gpu import crowded, inplace, lengths, page, parts, rates, recorded, song, step
from bench.gpu.card import Card
from bench.gpu.parts import QUICK, Found, Skip, Trial, attempted
from bench.gpu.report import Report, place_of
from bench.step import flops

PROMISED = {"torch", "safetensors", "einops", "numpy", "tokenizers", "sentencepiece"}
NO_CARD = pytest.mark.skipif(torch.cuda.is_available(), reason="a card is here: tests/cuda")
# Run before everything, by the name that Python looks for: some packages are not to be found.
HIDE = """
import sys
from importlib.machinery import PathFinder
class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in %r
        return None if hidden else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


def trial() -> Trial:
    return Trial(Card(torch.device("cpu")), QUICK, time.monotonic() + 600)


def test_conditions_come_in_the_transformers_dtype_whatever_the_text_encoders_is() -> None:
    wide = default_precision(Placing(torch.device("cpu")))
    precision = replace(wide, transformer=torch.bfloat16)
    tried = trial()
    model = inplace.synthetic(QUICK.config, Placing(torch.device("cpu")), precision)
    song.prepare(model, song.conditions(tried, model), Guidance())


# --- the whole command ------------------------------------------------------------------


def absent() -> set[str]:
    """What the pack or its tests ask for, and a card's machine may not have."""
    lines = (dev.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = {line.partition(">=")[0].strip() for line in lines if ">=" in line} - PROMISED
    assert len(named) > 5
    named = {{"Pillow": "PIL"}.get(name, name) for name in named}
    return named | {"torchaudio", "pytest", "aiohttp", "pydantic", "transformers"}


@NO_CARD
def test_the_whole_command_without_a_card(root: Path, tmp_path: Path) -> None:
    assert set(dev.FOR_A_CARD) == PROMISED
    (tmp_path / "sitecustomize.py").write_text(HIDE % absent(), encoding="utf-8")
    told = [sys.executable, "dev.py", "gpu", "--sizes", "quick", "--page", str(tmp_path / "page")]
    variables = {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        told, cwd=root, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, last = done.stdout.splitlines()
    about = json.loads(last)
    assert (about["bench"], about["sizes"], about["cut"]) == ("gpu", "quick", "")
    assert list(about["parts"]) == list(gpu.PARTS)
    ended = {name: part["status"] for name, part in about["parts"].items()}
    assert ended.pop("too little memory") == "skipped"
    assert set(ended.values()) == {"passed"}, ended
    for reason in ("copies: there is no card", "kernels and driver waits", "host waits"):
        assert any(reason in line for line in about["skipped"]), reason
    assert "left out" in done.stdout
    check_figures(about["parts"])
    assert not (tmp_path / "page").exists(), "only a card gets a page"


def check_figures(found: dict[str, Any]) -> None:
    for family in ("recorded float32", "recorded bfloat16"):
        assert found[family]["transformer"]["right"] == found[family]["transformer"]["cases"] > 0
    assert found["small model"]["float32"] == 0.0
    assert found["song"]["guided_step_s"] > 0
    assert found["song"]["text_s"] > 0
    assert found["song"]["lyrics_s"] > 0
    assert found["step"]["operators"] > 100
    assert found["step"]["of_product_rate"] > 0
    assert found["step"]["batched_s"] > 0
    assert found["step"]["in_turn_s"] > 0
    assert found["decoding"]["float32"]["finite"]
    assert found["decoding"]["bfloat16"]["finite"]
    assert len(found["lengths"]["rows"]) == len(QUICK.lengths)
    assert found["files"]["bytes"] > 0


def test_a_part_that_hangs_does_not_take_the_others_with_it(root: Path) -> None:
    """The time is over in the middle of a part: what is known is said all the same."""
    script = (
        "import sys, time\n"
        "from bench import gpu\n"
        "gpu.PARTS = {'rates': gpu.PARTS['rates'], 'song': lambda trial: time.sleep(600)}\n"
        "sys.exit(gpu.main(['--sizes', 'quick', '--minutes', '0.03']))\n"
    )
    told = [sys.executable, "-c", script]
    done = subprocess.run(told, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    about = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == gpu.CUT
    assert (about["cut"], list(about["parts"])) == ("song", ["rates"])
    assert "song: not reached" in about["skipped"]


def test_dev_runs_it_in_the_python_it_was_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(dev, "prepare", lambda need: pytest.fail("nothing may be installed"))
    monkeypatch.setattr(dev, "run", lambda command: calls.append(command) or 0)
    assert dev.main(["gpu", "--minutes", "2"]) == 0
    assert calls == [[sys.executable, "-m", "bench", "gpu", "--minutes", "2"]]


def test_dev_names_what_this_python_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = ("torch", "einops")
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: name not in lacks or None)
    with pytest.raises(SystemExit, match=r"has no torch, einops: pip install torch einops"):
        dev.main(["gpu"])


# --- how parts end ----------------------------------------------------------------------


def test_what_breaks_is_told_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(trial: Trial) -> Found:
        raise RuntimeError("CUDA error: an illegal memory access\nand ten more lines")

    def skips(trial: Trial) -> Found:
        trial.needs(1e6, "a very long song")
        return Found()

    report = Report(trial(), ["a", "b", "c", "d"], None)
    ways = {"a": breaks, "b": skips, "c": lambda trial: Found(["fine"], {"x": 1})}
    for name, part in ways.items():
        report.add(name, attempted(part, report.trial))
    assert report.status == 1
    assert report.finish()
    assert not report.finish(), "said once only"
    *_, last = capsys.readouterr().out.splitlines()
    about = json.loads(last)
    assert about["parts"]["a"]["status"] == "failed"
    assert about["parts"]["a"]["note"] == "RuntimeError: CUDA error: an illegal memory access"
    assert about["parts"]["c"] == {"status": "passed", "s": 0.0, "note": "", "x": 1}
    assert about["skipped"][0] == "d: not reached"
    assert "b: a very long song: about 1000000 s needed" in about["skipped"][1]


def test_a_value_beyond_its_limit_is_wrong() -> None:
    row = recorded.Row()
    row.add("edit.good", 1e-5, 1e-4)
    row.add("edit.bad", 2e-4, 1e-4)
    row.add("edit.broken", None, 1e-4, "RuntimeError: no kernel")
    assert (row.cases, row.right, row.closest) == (3, 1, 2.0)
    assert row.wrong == ["edit.bad: 2.0e-04 of 1.0e-04", "edit.broken: RuntimeError: no kernel"]
    result = attempted(lambda trial: Found(wrong=row.wrong), trial())
    assert result.status == "wrong"


def test_recorded_cases_in_another_place_are_held_to_twice_the_plain_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A card whose bfloat16 is three times as far from the record is found out."""
    check = recorded.check

    def worse(directory: Path, case: str, where: recorded.Where) -> Any:
        outcome = check(directory, case, recorded.Where(torch.device("cpu"), where.dtype))
        factor = 3.0 if where.device.type == "cuda" else 1.0
        return SimpleNamespace(error=factor * (outcome.error or 0.0), note=outcome.note)

    monkeypatch.setattr(recorded, "check", worse)
    monkeypatch.setattr(recorded, "computes_bfloat16", lambda card: True)
    monkeypatch.setattr(recorded, "NETWORKS", ("text_encoder",))
    here = trial()
    assert not recorded.in_bfloat16(here).wrong
    there = Trial(Card(torch.device("cuda")), QUICK, here.until)
    assert len(recorded.in_bfloat16(there).wrong) == 1


def test_a_page_keeps_the_other_cards(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "page.md"
    page.write(path, "Card B", "first")
    page.write(path, "Card A", "other")
    page.write(path, "Card B", "second")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.index("\n## Card A\n") < text.index("\n## Card B\n")
    assert "first" not in text
    page.write(path, "Card A", "other")
    assert path.read_text(encoding="utf-8") == text


# --- on a card that is none -------------------------------------------------------------


class Event:
    """In place of torch.cuda.Event."""

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at: float | None = None

    def record(self) -> None:
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        assert self.at is not None, "waited for before it was recorded"

    def elapsed_time(self, other: Event) -> float:
        assert self.at is not None
        assert other.at is not None
        return 1000 * (other.at - self.at)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A trial on the CPU whose Card says that it is a CUDA card, with a limit on memory."""
    limit = {"share": 1.0}
    forward, total = Transformer.forward, 10**9

    def crowded_forward(self: Transformer, x: torch.Tensor, *rest: Any) -> torch.Tensor:
        if limit["share"] < 1.0 and len(x) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, x, *rest)

    peaks = iter([2000, 1000] * 10)
    answers: dict[str, Any] = {
        "Event": Event,
        "synchronize": lambda: None,
        "empty_cache": lambda: None,
        "memory_allocated": lambda: 100,
        "max_memory_allocated": lambda: 500,
        "max_memory_reserved": lambda: next(peaks),
        "reset_peak_memory_stats": lambda: None,
        "is_bf16_supported": lambda: True,
        "get_device_name": lambda: "Pretended Card",
        "get_device_properties": lambda index: SimpleNamespace(
            total_memory=total, major=9, minor=0, multi_processor_count=1
        ),
        "set_sync_debug_mode": lambda mode: None,
        "set_per_process_memory_fraction": lambda share: limit.update(share=share),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    monkeypatch.setattr(Card, "is_cuda", property(lambda self: True))
    monkeypatch.setattr(Transformer, "forward", crowded_forward)
    return trial()


def test_rates_and_copies_on_a_card(card: Trial) -> None:
    found = rates.measured(card)
    assert set(found.figures["copy_GBps"]) == {"to the card", "from the card"}  # type: ignore[arg-type]
    assert card.rate
    assert card.card.about()["capability"] == "9.0"


def test_model_song_and_lengths_on_a_card(card: Trial) -> None:
    made = inplace.load(card)
    assert {"to_card_s", "from_card_s"} <= set(made.figures)
    found = song.song(card)
    assert found.figures["sampling_peak"] == 500
    (row,) = lengths.lengths(card).figures["rows"]  # type: ignore[misc]
    assert row["decoding_peak"] == 500
    assert not row["smaller_path"]


def test_too_little_memory_takes_the_smaller_path(card: Trial) -> None:
    inplace.load(card)
    found = crowded.crowded(card)
    assert not found.wrong
    assert found.figures["error"] == 0.0
    assert "asked in turn" in found.lines[0]


def test_too_little_memory_that_was_not_too_little_is_told(
    card: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    inplace.load(card)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda share: None)
    with pytest.raises(Skip, match="no limit between"):
        crowded.crowded(card)


def test_a_length_that_does_not_fit_is_named_and_the_next_one_tried(
    card: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    inplace.load(card)
    monkeypatch.setattr(
        lengths, "decoded", lambda *given: (_ for _ in ()).throw(torch.OutOfMemoryError("out"))
    )
    found = lengths.lengths(card)
    assert found.figures["rows"] == []
    assert found.skipped == ["1 s of music: out"]


def test_a_model_that_does_not_fit_visits_the_card(
    card: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = inplace.synthetic

    def too_large(config: Any, placing: Any, precision: Any) -> Any:
        if not placing.offload:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(config, placing, precision)

    monkeypatch.setattr(inplace, "synthetic", too_large)
    found = inplace.load(card)
    assert card.model is not None
    assert "networks visit the card" in found.lines[0]


def event(name: str, kind: str, start: float, end: float, parent: object = None) -> object:
    spent = SimpleNamespace(elapsed_us=lambda: end - start)
    kinds = SimpleNamespace(name=kind)
    return SimpleNamespace(name=name, device_type=kinds, time_range=spent, cpu_parent=parent)


def test_a_step_is_what_more_steps_have_beyond_fewer(
    card: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profiler of a card, played: 3 kernels, 2 copies and a wait a step, and more once."""

    class Played:
        def __init__(self, activities: list[object]) -> None:
            assert len(activities) == 2
            self.steps = next(seen)

        def __enter__(self) -> Played:
            return self

        def __exit__(self, *error: object) -> None: ...

        def events(self) -> list[object]:
            once = [event("cudaDeviceSynchronize", "CPU", 0, 1), event("rms", "CUDA", 0, 9)]
            each = [
                *[event("gemm", "CUDA", 0, 1000)] * 2,
                event("norm", "CUDA", 0, 500),
                event("Memcpy DtoH (Device -> Pageable)", "CUDA", 0, 5),
                event("Memcpy HtoD (Pageable -> Device)", "CUDA", 0, 5),
                event("cudaStreamSynchronize", "CPU", 0, 5),
                event("aten::mm", "CPU", 0, 5),
            ]
            return once + each * self.steps

    seen = iter((step.FEWER, step.MORE))
    monkeypatch.setattr(step, "profile", Played)
    found = Found()
    step.looked_at(card.card, lambda steps: None, 0.005, found)
    figures = found.figures
    assert (figures["kernels"], figures["copies"], figures["driver_waits"]) == (3, 2, 1)
    assert figures["busy_s"] == 0.0025
    assert figures["longest_ms"] == {"gemm": 2.0, "norm": 0.5, "rms": 0.0}
    assert "50% of the step" in found.lines[0]


def test_a_profiler_without_kernels_is_named(card: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "traced", lambda *given: step.Trace(waits=3))
    with pytest.raises(Skip, match="sees no kernels"):
        step.looked_at(card.card, lambda steps: None, 0.005, Found())


def test_waiting_lines_are_named(card: Trial) -> None:
    import warnings

    def run(steps: int) -> None:
        for _ in range(steps):
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)

    found = Found()
    step.waited(card.card, run, found)
    assert found.figures["host_waits"] == 1
    (place,) = found.figures["waiting_lines"]  # type: ignore[misc]
    assert str(place).startswith("tests/unit/test_gpu_trial.py:")


def test_only_a_whole_trial_of_a_card_writes_a_page(card: Trial, tmp_path: Path) -> None:
    known = list(gpu.PARTS)
    assert place_of(card, known, known, tmp_path) is None, "quick sizes"
    card.sizes = parts.WHOLE
    assert place_of(card, known, known, tmp_path) == tmp_path
    assert place_of(card, known[:2], known, tmp_path) is None


# --- theory -----------------------------------------------------------------------------


def test_counted_work_is_the_cost_model() -> None:
    """FLOP of a forward of the released size, counted without computing it."""
    config, frames, tokens = ModelConfig(), 645, 600
    network, width = build("transformer", config), config.transformer.inner_dim
    assert isinstance(network, Transformer)
    with torch.device("meta"), torch.inference_mode(), FlopCounterMode(display=False) as counter:
        context = torch.empty(1, tokens, width)
        pairs = network.attend(context)
        before = counter.get_total_flops()
        branch = Branch(context, None, None, pairs)
        network(torch.empty(1, 8, 16, frames), torch.empty(1), branch)
    counted = counter.get_total_flops() - before
    assert counted == pytest.approx(flops(24, frames, tokens, reuse=True), rel=0.03)
