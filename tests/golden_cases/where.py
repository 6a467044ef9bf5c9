"""The device and the dtype in which networks compute a case.

    recorded input -> placed (device) or cast (device, dtype) -> network -> compared with the record

Where nothing is said, it is float32 on the CPU: there every dtype must be the recorded one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Where:
    device: torch.device
    dtype: torch.dtype

    def placed(self, tensor: Tensor) -> Tensor:
        """Ids, masks and timesteps: never rounded."""
        return tensor.to(self.device)

    def cast(self, tensor: Tensor) -> Tensor:
        """What a network computes with."""
        return tensor.to(self.device, self.dtype)

    def compared(self, result: Tensor) -> Tensor:
        """A result as it is compared; in 16 bits its dtype cannot be the recorded one."""
        return result if self.dtype == torch.float32 else result.float()


HERE = Where(torch.device("cpu"), torch.float32)
