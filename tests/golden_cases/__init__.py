"""The recorded values, case by case.

    tests/golden/NAME.json -> tests/golden_cases/NAME.py -> cases -> Outcome

A family is one recorded file. Its module here has two functions:

    cases(directory: Path) -> list[str]              names such as "edit.edit_full"
    check(directory: Path, case: str) -> Outcome     raises NotImplementedError where no code is

The check of a family with tensors takes a Where as well, and computes the case there.

A recorded file without a module, or a case without code, counts as failed.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from .outcome import EXACT, LIMITS, NETWORKS, Outcome, failed, passed, skipped
from .where import HERE, Where

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
NO_CODE = "no code"


def families(directory: Path) -> list[str]:
    """Names of the recorded files of a directory."""
    found = {path.stem for path in directory.glob("*.json")}
    found |= {path.stem for path in directory.glob("*.jsonl")}
    return sorted(found)


def module_of(family: str) -> ModuleType | None:
    name = f"{__name__}.{family}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def family_of(case: str) -> str:
    return case.partition(".")[0]


def all_cases(directory: Path) -> list[str]:
    """Every case; a family whose cases cannot be named stands for itself and will fail."""
    names: list[str] = []
    for family in families(directory):
        try:
            module = module_of(family)
            names += module.cases(directory) if module else [family]
        except Exception:  # what is wrong comes out again, and is told, when it is checked
            names.append(family)
    return names


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    """Outcome of one case, whatever happens inside it."""
    family = family_of(case)
    try:
        module = module_of(family)
        if module is None:
            return failed(NO_CODE)
        if case == family:
            return failed(f"no cases in {len(module.cases(directory))} names")
        elsewhere = () if where == HERE else (where,)
        return _as_outcome(module.check(directory, case, *elsewhere))
    except NotImplementedError as error:
        return failed(f"{NO_CODE}: {error}" if str(error) else NO_CODE)
    except Exception as error:
        return failed(f"{type(error).__name__}: {error}")


def _as_outcome(result: Outcome | tuple[bool | None, str]) -> Outcome:
    """Families without tensors say True, False or None (skipped), and why."""
    if isinstance(result, Outcome):
        return result
    right, note = result
    if right is None:
        return skipped(note)
    return passed(note=note) if right else failed(note)


__all__ = [
    "EXACT",
    "GOLDEN",
    "HERE",
    "LIMITS",
    "NETWORKS",
    "NO_CODE",
    "Outcome",
    "Where",
    "all_cases",
    "check",
    "families",
    "family_of",
]
