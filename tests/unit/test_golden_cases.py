"""The golden runner itself: how values are compared, and what counts as failed."""

from __future__ import annotations

import fnmatch
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acestep_core.weights.tiny import computed
from tests import golden_cases
from tests.golden_cases import Outcome, __main__, outcome, schedulers
from tests.golden_cases.record import load


@pytest.mark.parametrize(
    ("actual", "golden", "status", "error"),
    [
        ([1.0, 2.0], [1.0, 2.0], "passed", 0.0),
        ([1.0, 2.5], [1.0, 2.0], "passed", 0.25),
        ([1.0, 2.6], [1.0, 2.0], "failed", 0.3),
        ([0.0, 0.0], [0.0, 0.0], "passed", 0.0),
        ([0.0, 1e-9], [0.0, 0.0], "failed", math.inf),
        ([1.0, math.nan], [1.0, 2.0], "failed", math.inf),
        ([1.0], [1.0, 2.0], "failed", None),
    ],
)
def test_compare(
    actual: list[float], golden: list[float], status: str, error: float | None
) -> None:
    result = outcome.compare(torch.tensor(actual), torch.tensor(golden), 0.25)
    assert result.status == status
    assert result.error == (None if error is None else pytest.approx(error))


def test_another_dtype_fails() -> None:
    assert outcome.compare(torch.ones(2), torch.ones(2).double(), 1.0).note.startswith("dtype")


def test_worst_is_a_failure_before_a_larger_error() -> None:
    small, large = Outcome("failed", 0.1), Outcome("passed", 0.9)
    assert outcome.worst([small, large, Outcome("passed", 0.2)]) is small
    assert outcome.worst([large, Outcome("passed", 0.2)]) is large


@pytest.mark.parametrize(
    ("key", "scale", "shift"),
    [
        ("a.weight", 1 / math.sqrt(6), 0.0),
        ("a.weight_g", 0.1, 1.0),
        ("a.parametrizations.weight.original0", 0.1, 1.0),
    ],
)
def test_recipe_scales_by_the_kind_of_tensor(key: str, scale: float, shift: float) -> None:
    w = computed(key, (500, 2, 3))
    assert w.dtype == torch.float32
    assert w.mean().item() == pytest.approx(shift, abs=0.05)
    assert w.std().item() == pytest.approx(scale, rel=0.1)


class Family:
    """Stands in for a family's module: three recorded cases of which one has no code."""

    @staticmethod
    def cases(directory: Path) -> list[str]:
        return ["edit.good", "edit.skipped", "edit.absent", "edit.broken"]

    @staticmethod
    def check(directory: Path, case: str) -> Outcome | tuple[bool | None, str]:
        if case == "edit.good":
            return outcome.compare(torch.ones(1), torch.ones(1), 1e-4)
        if case == "edit.skipped":
            return None, "no vocabulary"
        if case == "edit.absent":
            raise NotImplementedError
        raise ValueError("broken")


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "edit.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(
        golden_cases, "module_of", lambda family: Family if family == "edit" else None
    )
    return tmp_path


def test_what_has_no_code_counts_as_failed(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recorded / "lyric_tokens.jsonl").write_text("", encoding="utf-8")
    assert __main__.main([str(recorded)]) == 1
    printed = capsys.readouterr().out
    assert printed.endswith("1 passed, 3 failed, 1 skipped\n")
    assert "ValueError: broken" in printed
    assert printed.count("no code") == 2


def test_a_skipped_case_fails_without_leave(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = [str(recorded), "--only", "edit.good", "*.skipped"]
    assert __main__.main(only) == 1
    assert "no vocabulary" in capsys.readouterr().out
    assert __main__.main([*only, "--allow-skip"]) == 0
    assert capsys.readouterr().out.endswith("1 passed, 0 failed, 1 skipped\n")


def test_a_pattern_without_cases_is_an_error(recorded: Path) -> None:
    with pytest.raises(SystemExit, match="nothing"):
        __main__.main([str(recorded), "--only", "nothing*"])


def test_pingpong_is_computed_with_the_seed_that_the_record_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = "schedulers.pingpong.omega*.x1"
    (case, *_) = fnmatch.filter(schedulers.cases(golden_cases.GOLDEN), drawn)
    assert schedulers.check(golden_cases.GOLDEN, case).status == "passed"
    record = load(golden_cases.GOLDEN, "schedulers")
    note = record.info["note"].replace("manual_seed(7)", "manual_seed(8)")
    other = replace(record, info={**record.info, "note": note})
    assert schedulers.pingpong_seed(other) == 8
    monkeypatch.setattr(schedulers, "load", lambda directory, name: other)
    assert schedulers.check(golden_cases.GOLDEN, case).status == "failed"


def test_a_record_is_read_with_its_tensors() -> None:
    record = load(golden_cases.GOLDEN, "guidance")
    assert set(record.info) >= {"apg", "cfg"}
    assert all(isinstance(value, Tensor) for value in record.tensors.values())
    text = (golden_cases.GOLDEN / "guidance.json").read_text(encoding="utf-8")
    assert record.info == json.loads(text)
