"""Python runs this at its start, from PYTHONPATH: torchaudio fails, but for the pack alone.

For versions of ComfyUI that do not start without torchaudio themselves.
"""

import builtins
from typing import Any

PACK = "ComfyUI-ACEStep-Suite"  # the link in custom_nodes, and so in every file's path

real_import = builtins.__import__


def refusing(name: str, globals: Any = None, *details: Any, **more: Any) -> Any:
    importer = str((globals or {}).get("__file__", ""))
    if name.partition(".")[0] == "torchaudio" and PACK in importer:
        raise ImportError("this torchaudio does not fit the torch that is installed")
    return real_import(name, globals, *details, **more)


builtins.__import__ = refusing
