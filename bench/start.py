"""What a start costs: seconds to import the pack as ComfyUI does, the core, and the command line.

each in fresh processes, with torch loaded before and without -> median

ComfyUI has torch already when it comes to the packs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .measure import in_fresh_processes, last_line

ROOT = Path(__file__).resolve().parent.parent
PACK = (
    "import importlib.util, sys; spec = importlib.util.spec_from_file_location('pack',"
    f" {str(ROOT / '__init__.py')!r}, submodule_search_locations=[{str(ROOT)!r}]);"
    " sys.modules['pack'] = pack = importlib.util.module_from_spec(spec);"
    " spec.loader.exec_module(pack); assert pack.NODE_CLASS_MAPPINGS"
)
IMPORTS = {
    "the pack": PACK,
    "acestep_core": "import acestep_core",
    "the command line": "import acestep_core.cli.commands",
}
TIMED = "import time, sys; {before}t = time.perf_counter(); {work}; print(time.perf_counter() - t)"
TARGET = 0.5  # seconds of a ComfyUI's start that the pack may take


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="bench start", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(words)
    figures: dict[str, dict[str, float]] = {}
    print(f"import, after torch (the pack's target: {TARGET * 1e3:.0f} ms) and alone:")
    for name, work in IMPORTS.items():
        after, alone = (
            in_fresh_processes(TIMED.format(before=before, work=work), options.repeats)
            for before in ("import torch; ", "")
        )
        print(f"  {name}: {after * 1e3:.0f} ms, alone {alone * 1e3:.0f} ms", flush=True)
        figures[name] = {"after_torch_s": round(after, 4), "alone_s": round(alone, 4)}
    met = figures["the pack"]["after_torch_s"] < TARGET
    last_line("start", imports=figures, target_met=met)
    return 0


if __name__ == "__main__":
    sys.exit(main())
