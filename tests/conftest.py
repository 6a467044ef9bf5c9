"""What every test may ask for.

The markers host, cuda and weights are left out by default; pyproject.toml says so.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

# Before torch is imported: on the tests' tiny networks a second thread only spins.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A job in the background is deaf to interrupts, and would pass that on to what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest

from tests.golden_cases import GOLDEN
from tests.golden_cases.record import Record, load


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Record]:
    """golden("edit"): what was recorded, and its tensors."""
    return lambda name: load(GOLDEN, name)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent
