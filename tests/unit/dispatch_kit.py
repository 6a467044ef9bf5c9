"""What a piece of work asks torch for: every operator that is dispatched, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Operators that only look at memory in another way.
VIEWS = {
    *("view", "expand", "slice", "select", "unsqueeze", "squeeze", "permute", "transpose", "t"),
    *("split", "unbind", "chunk", "as_strided", "detach", "alias", "_unsafe_view"),
}


class Dispatched(TorchDispatchMode):
    """Names of operators, and how many of them moved a tensor from one device to another."""

    def __init__(self) -> None:
        super().__init__()
        self.names, self.moves = Counter[str](), 0

    def __torch_dispatch__(
        self,
        operator: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.names[operator._schema.name.partition("::")[2]] += 1
        result = operator(*args, **(kwargs or {}))
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        if isinstance(result, Tensor) and any(x.device != result.device for x in given if x.ndim):
            self.moves += 1
        return result

    @property
    def computing(self) -> int:
        return sum(count for name, count in self.names.items() if name not in VIEWS)


def dispatched(work: Callable[[], object]) -> Dispatched:
    with Dispatched() as seen:
        work()
    return seen
