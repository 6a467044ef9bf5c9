"""Runs one benchmark: `python -m bench NAME [arguments]` calls main(arguments) of bench/NAME.py."""

import importlib
import pkgutil
import sys
from pathlib import Path


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name for name in found if not name.startswith("_"))


def main(arguments: list[str]) -> int:
    known = names()
    if not arguments or arguments[0] not in known:
        asked = f"No benchmark is called {arguments[0]!r}. " if arguments else ""
        print(f"{asked}Available: {', '.join(known) or 'none yet'}.", file=sys.stderr)
        return 2
    name, *rest = arguments
    return importlib.import_module(f"bench.{name}").main(rest) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
