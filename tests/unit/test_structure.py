"""The rules that keep the project readable, checked on every file there is.

    *.py -> syntax tree -> budgets, who imports whom, what may not appear

A new module of the core gets its place in WINGS; a new package its home in HOMES.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import acestep_core

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 500
FUNCTION_LINES = 40
PARAMETERS = 7

# From the ground to the roof. A wing imports only what stands above it in this list, and a file
# only what stands before it in its own wing.
WINGS = {
    "anonymous": "",
    "atomic": "",
    "config": "",
    "settings": "setting making tasks words files __init__",
    "types": "",
    "presets": "",
    "networks": "memory products layers transformed dcae lyric_encoder transformer umt5 vocoder",
    "sampling": "schedule noise solve guidance loop",
    "lyrics": "script fallbacks languages detector corrected language foreign structure vocabulary"
    " normalise encode __init__ sections estimate compare lint preview preview_html",
    "writer": "genres metre song style lines subject compose tags builtin openai __init__",
    "conditions": "tags branches",
    "tasks": "region kit flow_edit extension plans behaviours",
    "sound": "audio mel griffin_lim tiles flaws codec loudness id3 track files outline beats",
    "weights": "card keys weight_norm flaws checkpoint tokenizer model spellings lora shared"
    " download single_file small tiny",
    "pictures": "sound drawings",
    "pipeline": "",
    "editing": "splice report request job ends edits __init__",
    "faces": "",
    "records": "latents record labels replay graph",
    "batch": "manifest rows plan places sources fingerprint ledger gates generator pool packs"
    " course rays report",
    "hosted": "shapes errors client addresses origins fetch media parameters queue graphs requests"
    " settings sources tickets store jobs answers records routes openapi",
    "cli": "places options running takes convert info demo edit words batch commands",
    "__init__": "",
    "__main__": "",
}
RANK = {wing: rank for rank, wing in enumerate(WINGS)}

# Any file of the core may use these at its top, and nothing else that is foreign.
GROUND = {"torch", "numpy", "einops"}
# Every other package lives where it is used, imported inside the function that needs it.
HOMES = {
    "safetensors": {"weights", "records"},
    "tokenizers": {"weights", "lyrics"},
    "sentencepiece": {"weights"},
    "torchaudio": {"sound"},
    "huggingface_hub": {"weights"},
    "av": {"sound", "hosted"},
    "pydantic": {"hosted"},
    "aiohttp": {"hosted"},
    "yarl": {"hosted"},
    "tqdm": {"cli"},
    "pyarrow": {"batch"},
    "ray": {"batch"},
    "pyloudnorm": {"sound"},
    "scipy": {"sound"},  # comes with pyloudnorm
    "PIL": {"pictures"},
    "num2words": {"lyrics"},
    "py3langid": {"lyrics"},
    "pypinyin": {"lyrics"},
    "cutlet": {"lyrics"},
    "fugashi": {"lyrics"},
    "unidic_lite": {"lyrics"},
}
# ComfyUI's own modules, `nodes` among them.
HOST = {
    "comfy",
    "comfy_api",
    "comfy_execution",
    "comfy_extras",
    "execution",
    "folder_paths",
    "nodes",
    "server",
}
# Later versions answer differently, or force others on the user (requirements.txt says which).
CAPPED = {"py3langid": "<0.3"}
NODE_PACKAGES = {"torch", "numpy", "aiohttp"}
HOST_FOLDER = "nodes/host/"


def python_files(*folders: str) -> list[str]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


CORE = python_files("acestep_core")
NODES = python_files("nodes")
SHIPPED = [*CORE, *NODES, "__init__.py"]
EVERY = [*SHIPPED, *python_files("bench", "scripts", "tests", "training"), "dev.py"]


def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


@dataclass(frozen=True)
class Imported:
    """One name of one import statement, made absolute within the project."""

    name: str
    line: int
    is_late: bool
    is_relative: bool

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


def imports_of(file: str) -> list[Imported]:
    package = Path(file).parent.parts
    return [
        Imported(name, node.lineno, is_late, bool(getattr(node, "level", 0)))
        for node, is_late in _import_nodes(tree_of(file), False)
        for name in _names(node, package)
    ]


def _import_nodes(
    node: ast.AST, is_late: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Import statements; those in a function or for type checkers alone run late or never."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, is_late
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _import_nodes(child, is_late or typing_only or is_function)


def _names(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = list(package[: len(package) - node.level + 1]) if node.level else []
    stem = ".".join(base + ([node.module] if node.module else []))
    return [f"{stem}.{alias.name}" if stem else alias.name for alias in node.names]


def wing_of(file: str) -> str:
    """A core file's row in WINGS: its folder's, or its own."""
    return Path(file).with_suffix("").parts[1]


def _lines_of_tables(tree: ast.Module) -> int:
    """Lines of data written at the top level; a table does not make a file hard to read."""
    literals = ast.Dict | ast.List | ast.Set | ast.Tuple
    assigned = (n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign))
    tables = [n for n in assigned if isinstance(n.value, literals)]
    return sum((n.end_lineno or n.lineno) - n.lineno + 1 for n in tables)


def _lines_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first, lines = function.body[0], (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    a = function.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
    return sum(1 for p in named if p is not None and p.arg not in ("self", "cls"))


@pytest.mark.parametrize("file", EVERY)
def test_budgets(file: str) -> None:
    tree, text = tree_of(file), (ROOT / file).read_text(encoding="utf-8")
    lines = text.count("\n") - _lines_of_tables(tree)
    assert lines <= FILE_LINES, f"{file} has {lines} lines; {FILE_LINES} is the limit: split it"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{file}:{node.lineno} {node.name}"
            size, count = _lines_of_function(node), _parameters(node)
            assert size <= FUNCTION_LINES, f"{where}: {size} lines, at most {FUNCTION_LINES}"
            assert count <= PARAMETERS, f"{where}: {count} parameters, a dataclass is missing"


@pytest.mark.parametrize("file", EVERY)
def test_source_fits_windows(file: str) -> None:
    """cp1252 is how Windows tools read a Python file; other scripts go into data files."""
    (ROOT / file).read_text(encoding="utf-8").encode("cp1252")


def within_the_core(file: str) -> Iterator[tuple[Imported, str, str]]:
    """Each relative import, with the wing and the file of the wing that it reaches."""
    for found in imports_of(file):
        if found.is_relative:
            assert found.package == "acestep_core", f"{file}:{found.line} reaches out of the core"
            _, wing, *rest = found.name.split(".")
            # `from . import name` is a module, or else something the package itself offers.
            yield (
                (found, wing, rest[0] if rest else "") if wing in RANK else (found, "__init__", "")
            )


@pytest.mark.parametrize("file", CORE)
def test_wings(file: str) -> None:
    own = wing_of(file)
    assert own in RANK, f"{file} is new: give `{own}` its row in {Path(__file__).name}"
    for found, wing, _ in within_the_core(file):
        assert RANK[wing] <= RANK[own], (
            f"{file}:{found.line} ({own}) imports {found.name}, which stands further down the list"
        )


@pytest.mark.parametrize("wing", [wing for wing, files in WINGS.items() if files])
def test_files_within_a_wing(wing: str) -> None:
    """In the order of its row no file needs a later one, and no file is left out."""
    order = WINGS[wing].split()
    rank = {name: place for place, name in enumerate(order)}
    there = {path.stem for path in (ROOT / "acestep_core" / wing).iterdir() if _is_source(path)}
    assert there - {"__init__"} == set(order) - {"__init__"}
    for name in rank:
        file = f"acestep_core/{wing}/{name}.py"
        for found, reached, inner in within_the_core(file) if (ROOT / file).is_file() else ():
            later = reached == wing and rank.get(inner, -1) > rank[name]
            assert not later, f"{file}:{found.line} imports {found.name}, later in its wing"


def test_the_document_has_the_wings_in_this_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| wing | what it holds |")[2].partition("\n\n")[0]
    named = re.findall(r"`acestep_core/(\w+)(?:\.py|/)`", table)
    assert named == [wing for wing in WINGS if not wing.startswith("__")]


def _is_source(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").is_file())


@pytest.mark.parametrize("file", CORE)
def test_packages_of_the_core(file: str) -> None:
    wing = wing_of(file)
    for found in imports_of(file):
        where = f"{file}:{found.line} imports {found.name}"
        is_standard = found.package in sys.stdlib_module_names
        if found.is_relative or is_standard or found.package in GROUND:
            continue
        if found.package == "typing_extensions":
            assert found.is_late, f"{where}: for type checkers alone"
            continue
        assert found.package not in HOST, f"{where}: the core knows nothing of ComfyUI"
        assert found.package != "acestep_core", f"{where}: relative inside the pack"
        homes = HOMES.get(found.package, set())
        assert wing in homes, f"{where}: its home is {sorted(homes) or 'nowhere'}; see HOMES"
        assert found.is_late, f"{where}: only inside the function that needs it"


@pytest.mark.parametrize("file", NODES)
def test_packages_of_the_nodes(file: str) -> None:
    for found in imports_of(file):
        where = f"{file}:{found.line} imports {found.name}"
        if found.is_relative or found.package in sys.stdlib_module_names:
            continue
        if found.package in HOST:
            assert file.startswith(HOST_FOLDER), f"{where}: only {HOST_FOLDER} knows ComfyUI"
            continue
        assert found.package in NODE_PACKAGES, f"{where}: a node is a skin over the core"


@pytest.mark.parametrize("file", SHIPPED)
def test_nothing_unsafe(file: str) -> None:
    banned = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    for found in imports_of(file):
        assert found.package not in banned, f"{file}:{found.line} imports {found.name}"
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "torch.load"), f"{file}:{node.lineno} {called}("


MODES = {"corrected", "original", "reference"}
MODE_NAMES = {"CORRECTED", "ORIGINAL", "compat"}


def _asks_for_the_mode(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value in MODES
    if isinstance(node, ast.Attribute):
        return node.attr in MODE_NAMES
    return isinstance(node, ast.Name) and node.id in MODE_NAMES


@pytest.mark.parametrize("file", SHIPPED)
def test_the_mode_is_told_apart_in_one_place(file: str) -> None:
    """Elsewhere it is looked up, or handed on: what differs is a part in behaviours.py."""
    if file == "acestep_core/tasks/behaviours.py":
        return
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            asked = any(_asks_for_the_mode(side) for side in sides)
            assert not asked, f"{file}:{node.lineno} compares the mode: {ast.unparse(node)}"


IMPORT_ALL = """
import importlib, json, os, sys
import einops, numpy, torch
modules, absent = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(absent))
def state():
    return [dict(os.environ), sorted(os.listdir()), list(sys.path), torch.get_num_threads(),
            str(torch.get_default_dtype()), torch.is_grad_enabled(), torch.initial_seed(),
            torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32]
before, events = state(), []
watched = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.putenv", "os.mkdir")
def watch(event, details):
    writes = event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+")
    if event in watched or writes:
        events.append(f"{event} {details}")
sys.addaudithook(watch)
for name in modules:
    importlib.import_module(name)
assert not events, events
assert state() == before, (before, state())
"""


@pytest.mark.parametrize("file", python_files("acestep_core/cli"))
def test_no_command_changes_what_it_was_asked(file: str) -> None:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            assert ast.unparse(node.value) != "options", f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", python_files("scripts", "training"))
def test_what_makes_the_project_does_not_need_its_tests(file: str) -> None:
    assert "tests" not in {found.package for found in imports_of(file)}


def test_importing_the_core_has_no_effect() -> None:
    """In a process of its own, where only torch, numpy and einops can be imported."""
    modules = [file.removesuffix(".py").replace("/", ".") for file in CORE]
    modules = [name.removesuffix(".__init__") for name in modules if "__main__" not in name]
    absent = [*HOMES, "diffusers", *HOST]
    command = [sys.executable, "-B", "-c", IMPORT_ALL, json.dumps([modules, absent])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_dev_needs_only_the_standard_library() -> None:
    foreign = {found.package for found in imports_of("dev.py")} - set(sys.stdlib_module_names)
    assert not foreign


def test_no_folder_that_comfyui_takes_for_templates() -> None:
    """`workflows` is the one for them; a second would list everything twice."""
    taken = {"example", "examples", "workflow", "example_workflows"}
    assert not taken & {path.name for path in ROOT.iterdir()}


def test_golden_values_are_the_recorded_ones() -> None:
    folder = ROOT / "tests" / "golden"
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name.lstrip("*"): digest for digest, name in (line.split() for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix in (".json", ".jsonl", ".safetensors")
    }
    assert found == listed


def _requirements(name: str) -> list[str]:
    lines = (line.strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_users_get_lower_bounds_and_no_torch() -> None:
    for line in _requirements("requirements.txt"):
        name, bound, version = line.partition(">=")
        assert bound, f"{line}: only a lower bound, ComfyUI shares the environment"
        version, comma, cap = version.partition(",")
        assert not comma or CAPPED.get(name) == cap, f"{line}: an upper bound nobody agreed to"
        assert version.replace(".", "").isdigit(), line
        assert not name.lower().startswith(("torch", "comfyui", "transformers")), line


def test_registry_metadata_asks_for_the_same_packages() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dependencies"] == _requirements("requirements.txt")
    assert project["project"]["version"] == acestep_core.__version__
    assert "web" not in project["tool"]["comfy"], "WEB_DIRECTORY and `web` load scripts twice"
