"""Everything a developer runs, with nothing but Python: demo, test, golden, bench, gpu, new.

    dev.py COMMAND -> .venv, made and filled once -> that environment's python -m MODULE
    dev.py gpu     -> this Python, as it is: where a card is rented, often nothing can be installed

Only the standard library is used, and no syntax newer than Python 3.6, so that an old
Python reads as far as the line that refuses it.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 - whoever starts this may have an older one
    sys.exit(
        f"This needs Python 3.10 or newer; {sys.executable} is {platform.python_version()}. "
        "Start it with a newer one, for example: python3.11 dev.py"
    )

ROOT = Path(__file__).resolve().parent

# GB that pip fetches: to run, and in addition to test. On Linux PyPI's torch is the CUDA build.
DOWNLOAD = {"Linux": (2.8, 0.15), "Darwin": (0.2, 0.15), "Windows": (0.2, 0.15)}
DISK = {"Linux": 6.0, "Darwin": 1.0, "Windows": 1.2}  # GB once unpacked
CPU_BUILD = "https://download.pytorch.org/whl/cpu"

# More threads than one only spin against each other on networks as small as the tests'.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

# The lyric vocabulary is not part of the project and never downloaded unasked; what needs it is
# skipped without.
VOCABULARY = "ACESTEP_VOCAB"
BESIDE = ROOT.parent / "shared" / "data" / "vocab.json"

# What `gpu` finds in this Python, or refuses to begin.
FOR_A_CARD = ("torch", "safetensors", "einops", "numpy", "tokenizers", "sentencepiece")

QUICK = ("structure", "faces", "docs_code")  # before each commit

PARTS = {
    "lint": [["ruff", "check", "."], ["ruff", "format", "--check", "."]],
    "types": [["pyright"]],
    "host": [["pytest", "-m", "host"]],
    "page": [["pytest", "-m", "page"]],  # of those, the tests that look at the page
    "cuda": [["pytest", "-m", "cuda"]],
    "pytest": [["pytest"]],
    "quick": [["pytest", "-q", *(f"tests/unit/test_{name}.py" for name in QUICK)]],
    "golden": [["tests.golden_cases", "--allow-skip"]],
}
USUAL_PARTS = ["lint", "types", "pytest", "golden"]


def folder() -> Path:
    """Where the environment is, or will be."""
    return Path(os.environ.get("ACESTEP_VENV") or ROOT / ".venv").absolute()


def python() -> Path:
    return folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def record() -> Path:
    """What was installed; it exists only in an environment made by this file."""
    return folder() / "acestep-installed.json"


class Ended(Exception):  # noqa: N818 - not an error
    """SIGTERM: without it the child would go on alone."""


def _end(number: int, frame: object) -> None:
    raise Ended


def run(command: list[str | Path], variables: dict[str, str] | None = None) -> int:
    """Exit status of a child in the project's folder; an interrupt leaves it time to tidy up."""
    settings = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **(variables or {})}
    with subprocess.Popen([str(word) for word in command], cwd=str(ROOT), env=settings) as child:
        before = signal.signal(signal.SIGTERM, _end)
        try:
            return child.wait()
        except Ended:
            child.terminate()  # nobody sent it the same signal
            child.wait()
            return 143
        except KeyboardInterrupt:
            child.wait()  # the terminal sent it the same signal
            return 130
        finally:
            signal.signal(signal.SIGTERM, before)


def run_module(arguments: list[str], variables: dict[str, str] | None = None) -> int:
    return run([python(), "-m", *arguments], variables)


def requirements(need: str) -> list[str]:
    """pip's arguments for "run" or "test"; torch is added to what ComfyUI users install."""
    if need == "test":
        return ["-r", "requirements-dev.txt"]
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    return ["-r", "requirements.txt", *(line for line in lines if line.startswith("torch=="))]


def fingerprint(need: str) -> str:
    """Changes when the environment has to be brought up to date."""
    parts = requirements(need)
    files = ["requirements.txt"] + ["requirements-dev.txt"] * (need == "test")
    parts += [(ROOT / name).read_text(encoding="utf-8") for name in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def installed() -> dict[str, str]:
    return json.loads(record().read_text(encoding="utf-8")) if record().exists() else {}


def make_environment() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"This Python has no {' and no '.join(missing)}, so no environment can be made. "
            "On Debian and Ubuntu: sudo apt install python3-venv"
        )
    print(f"Making an environment in {folder()}", flush=True)
    if run([sys.executable, "-m", "venv", folder()]):
        sys.exit("The environment could not be made. On Debian: sudo apt install python3-venv")
    record().write_text("{}", encoding="utf-8")


def announce(need: str, present: dict[str, str]) -> None:
    """Says what will be fetched before anything is."""
    system = platform.system()
    to_run, to_test = DOWNLOAD.get(system, DOWNLOAD["Linux"])
    size = to_run * ("run" not in present)
    size += to_test * (need == "test" and "test" not in present)
    disk = DISK.get(system, DISK["Linux"])
    what = f"about {size:.1f} GB to download, {disk:g} GB of disk" if size else "an update"
    print(f"Installing what is needed to {need}: {what}. pip is quiet; this takes minutes.")
    if system == "Linux" and "run" not in present:
        print(
            "Most of it is PyTorch's CUDA build. For the CPU build (0.2 GB) stop now and set\n"
            f"PIP_EXTRA_INDEX_URL={CPU_BUILD}"
        )
    sys.stdout.flush()


def prepare(need: str) -> None:
    """An environment with everything "run" or "test" needs; done again only when that changed."""
    if not python().exists():
        make_environment()
    elif os.environ.get("ACESTEP_VENV") and not record().exists():
        print(f"Using {folder()} as it is: it was not made here, so nothing is installed.")
        return
    present = installed()
    if present.get(need) == fingerprint(need):
        return
    announce(need, present)
    pip = ["pip", "install", "--quiet", "--disable-pip-version-check", *requirements(need)]
    status = run_module(pip)
    if status:
        sys.exit(130 if status == 130 else "The installation failed; pip's reason is above.")
    needs = ("run", "test") if need == "test" else ("run",)
    present.update({name: fingerprint(name) for name in needs})
    record().write_text(json.dumps(present, indent=1), encoding="utf-8")


def demo(options: argparse.Namespace) -> int:
    prepare("run")
    return run_module(["acestep_core.cli.demo", *options.rest])


def bench(options: argparse.Namespace) -> int:
    prepare("run")
    return run_module(["bench", *options.rest])


def vocabulary() -> dict[str, str]:
    """The variable that names the vocabulary to the tests, if there is one; says which, or none."""
    named = os.environ.get(VOCABULARY)
    place = Path(named).expanduser().absolute() if named else BESIDE
    if place.exists():
        print(f"Lyric vocabulary: {place}", flush=True)
        return {VOCABULARY: str(place)}
    if named:
        sys.exit(f"{VOCABULARY} names {place}, which is not there.")
    print(f"Lyric vocabulary: none in {place}, and {VOCABULARY} names none.", flush=True)
    return {}


def gpu(options: argparse.Namespace) -> int:
    missing = [name for name in FOR_A_CARD if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"{sys.executable} has no {', '.join(missing)}: pip install {' '.join(missing)}")
    return run([sys.executable, "-m", "bench", "gpu", *options.rest])


def new(options: argparse.Namespace) -> int:
    # With this Python: laying files down needs no environment.
    menu = ["--menu", options.menu] if options.menu else []
    return run([sys.executable, "-m", f"scripts.new_{options.what}", options.name, *menu])


def golden(options: argparse.Namespace) -> int:
    prepare("test")
    arguments = [str(Path(options.directory).resolve())]
    if options.only:
        arguments += ["--only", *options.only]
    if options.allow_skip:
        arguments.append("--allow-skip")
    return run_module(["tests.golden_cases", *arguments], {**ONE_THREAD, **vocabulary()})


def test(options: argparse.Namespace) -> int:
    """Every part runs, so that one look shows all that is wrong."""
    prepare("test")
    failed, variables = [], {**ONE_THREAD, **vocabulary()}
    for part in options.only or USUAL_PARTS:
        for command in PARTS[part]:
            print(f"\n== {part}: {' '.join(command)}", flush=True)
            extra = ["--pythonpath", str(python())] if part == "types" else []
            status = run_module(command + extra, variables)
            if status == 130:
                return status
            if status and part not in failed:
                failed.append(part)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nEverything passed.")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="dev.py", description="Demo, tests, golden values, benchmarks."
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="make a clip on the CPU, without downloading a model")
    one = commands.add_parser("test", help="lint, types, tests and golden values")
    one.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    one = commands.add_parser("golden", help="compare with recorded values")
    one.add_argument("directory", nargs="?", default=str(ROOT / "tests" / "golden"))
    one.add_argument("--only", nargs="+", metavar="GLOB", help="only cases with such names")
    one.add_argument("--allow-skip", action="store_true", help="a skipped case is no failure")
    commands.add_parser("bench", help="measure one thing: bench NAME")
    commands.add_parser("gpu", help="try everything on a CUDA card, in this Python as it is")
    one = commands.add_parser("new", help="lay down the files of a new node: new node NAME")
    one.add_argument("what", choices=["node"])
    one.add_argument("name", help='such as "Loudness Meter"')
    one.add_argument("--menu", default="", help="of the node, below ACE-Step")
    return root


def main(arguments: list[str]) -> int:
    # What follows these is theirs, --help included.
    passes_on = arguments[:1] in (["demo"], ["bench"], ["gpu"])
    options = parser().parse_args(arguments[:1] if passes_on else arguments)
    options.rest = arguments[1:]
    known = {"demo": demo, "test": test, "golden": golden, "bench": bench, "gpu": gpu, "new": new}
    command = known[options.command]
    try:
        return command(options)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
