"""What was made, put into its source: everything else stays the source, sample for sample.

    source  ------------\        /----------    kept
    made                 \______/               between: cross-fades, inside the region

Cross-fades keep the power constant: also where the two waves are alike, as they are when
little was changed; there an ordinary one would swell by 3 dB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from .audio import resample
from .config import SAMPLE_RATE
from .region import resolve
from .types import Region

CROSSFADE = 0.03  # seconds
