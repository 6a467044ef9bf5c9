"""The public names of the core."""

from __future__ import annotations

from importlib import import_module

import pytest

import acestep_core


@pytest.mark.parametrize("name", acestep_core.__all__)
def test_a_public_name_is_that_of_its_home(name: str) -> None:
    home = import_module(f"acestep_core.{acestep_core._HOMES[name]}")
    assert getattr(acestep_core, name) is getattr(home, name)


def test_every_home_is_public() -> None:
    assert acestep_core.__all__ == list(acestep_core._HOMES)


def test_other_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Chorus'"):
        acestep_core.Chorus  # noqa: B018
