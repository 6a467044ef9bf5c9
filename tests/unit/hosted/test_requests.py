"""Every name, range and default of the services' documents, as the documents say them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from acestep_core.config import FRAME
from acestep_core.editing.ends import _stretches
from acestep_core.editing.request import Options, frames_encoded
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.hosted.records import refusal
from acestep_core.hosted.requests import fits, from_form, parsed, read, with_seeds
from acestep_core.hosted.shapes import as_json
from acestep_core.settings import TABLE
from acestep_core.types import Extend

REQUIRED = object()
INT31 = (-1, 2147483647)
MODES = ("lyrics", "remix")
ENDS = ("start", "end")

# endpoint -> parameter -> default, then (low, high), or options, or a kind
DOCUMENTED: dict[str, dict[str, tuple[Any, Any]]] = {
    "text-to-audio": {
        "tags": (REQUIRED, str),
        "lyrics": ("", str),
        "duration": (60, (5.0, 240.0)),
        "seed": (-1, INT31),
    },
    "prompt-to-audio": {
        "prompt": (REQUIRED, str),
        "instrumental": (False, bool),
        "duration": (60, (5.0, 240.0)),
        "seed": (-1, INT31),
    },
    "audio-to-audio": {
        "audio": (REQUIRED, str),
        "original_tags": (REQUIRED, str),
        "tags": (REQUIRED, str),
        "edit_mode": ("remix", MODES),
        "original_lyrics": ("", str),
        "lyrics": ("", str),
        "seed": (-1, INT31),
    },
    "audio-inpaint": {
        "audio": (REQUIRED, str),
        "tags": (REQUIRED, str),
        "start_time_relative_to": ("start", ENDS),
        "start_time": (0, (0.0, 240.0)),
        "end_time_relative_to": ("start", ENDS),
        "end_time": (30, (0.0, 240.0)),
        "lyrics": ("", str),
        "seed": (-1, INT31),
        "variance": (0.5, (0.0, 1.0)),
    },
    "audio-outpaint": {
        "audio": (REQUIRED, str),
        "tags": (REQUIRED, str),
        "extend_before_duration": (0, (0.0, 240.0)),
        "extend_after_duration": (30, (0.0, 240.0)),
        "lyrics": ("", str),
        "seed": (-1, INT31),
    },
    "full-control": {
        "audio_url": (REQUIRED, str),
        "edit_mode": ("remix", MODES),
        "original_tags": (REQUIRED, str),
        "tags": (REQUIRED, str),
        "original_lyrics": ("", str),
        "lyrics": ("", str),
        "number_of_steps": (27, (3, 60)),
        "seed": (None, INT31),
        "original_seed": (None, INT31),
        "scheduler": ("euler", ("euler", "heun")),
        "guidance_type": ("apg", ("cfg", "apg", "cfg_star")),
        "granularity_scale": (10, (-100, 100)),
        "guidance_interval": (0.5, (0.0, 1.0)),
        "guidance_interval_decay": (0, (0.0, 1.0)),
        "guidance_scale": (15, (0.0, 200.0)),
        "minimum_guidance_scale": (3, (0.0, 200.0)),
        "tag_guidance_scale": (5, (0.0, 10.0)),
        "lyric_guidance_scale": (1.5, (0.0, 10.0)),
    },
}
OURS = {"enable_sync_mode", "enable_base64_output", "sync_mode", "extended"}
EVERY = [(endpoint, name) for endpoint, found in DOCUMENTED.items() for name in found]


def least(endpoint: str) -> dict[str, Any]:
    """A body with what is required and nothing else."""
    found = DOCUMENTED[endpoint].items()
    return {name: "pop" for name, (default, _) in found if default is REQUIRED}


def fails(endpoint: str, body: dict[str, Any]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(ENDPOINTS[endpoint], body)
    return caught.value


@pytest.mark.parametrize("endpoint", DOCUMENTED)
def test_there_are_these_parameters_and_no_others(endpoint: str) -> None:
    found = {one.name for one in ENDPOINTS[endpoint].parameters}
    assert found - OURS == set(DOCUMENTED[endpoint])


@pytest.mark.parametrize(("endpoint", "name"), EVERY)
def test_default(endpoint: str, name: str) -> None:
    default, _ = DOCUMENTED[endpoint][name]
    body = least(endpoint)
    if default is REQUIRED:
        del body[name]
        error = fails(endpoint, body)
        assert [one.field for one in error.problems] == [name]
        assert str(error).startswith(f"{name} is missing; it must be ")
    else:
        assert read(ENDPOINTS[endpoint], body)[name] == default


@pytest.mark.parametrize(("endpoint", "name"), EVERY)
def test_range(endpoint: str, name: str) -> None:
    _, allowed = DOCUMENTED[endpoint][name]
    good: list[Any]
    wrong: list[Any]
    if allowed is str:
        good, wrong = ["[inst]", "a\nb"], [1, None, True, ["a"]]
    elif allowed is bool:
        good, wrong = [True, False], [1, "true", None]
    elif isinstance(allowed[0], str):
        good, wrong = list(allowed), ["other", "", None, 1]
    else:
        low, high = allowed
        step = 0.001 if isinstance(low, float) else 1
        good, wrong = [low, high], [low - step, high + step, str(low), True, float("nan")]
        wrong += [] if isinstance(low, float) else [low + 0.5]
    for value in good:
        assert read(ENDPOINTS[endpoint], {**least(endpoint), name: value})[name] == value
    for value in wrong:
        error = fails(endpoint, {**least(endpoint), name: value})
        (problem,) = error.problems
        assert problem.field == name, value
        assert problem.allowed, value
        assert problem.allowed in problem.message


@pytest.mark.parametrize("endpoint", DOCUMENTED)
def test_unknown_field_is_refused_by_name(endpoint: str) -> None:
    error = fails(endpoint, {**least(endpoint), "sead": 3})
    assert error.problems[0].field == "sead"
    assert "no parameter of" in str(error)
    assert "seed" in error.problems[0].allowed


def test_every_wrong_field_is_named_at_once() -> None:
    error = fails("text-to-audio", {"duration": 300, "seed": "x"})
    assert {one.field for one in error.problems} == {"tags", "duration", "seed"}
    body = as_json(refusal(error))
    assert body["code"] == 400
    assert body["message"] == body["detail"]
    assert "duration is 300; it must be a number from 5 to 240." in str(body["message"])


def test_spaces_alone_are_no_tags() -> None:
    assert fails("text-to-audio", {"tags": " \n"}).problems[0].field == "tags"


def test_what_is_not_offered_says_so() -> None:
    body = {**least("text-to-audio"), "enable_base64_output": True}
    assert "not offered" in str(fails("text-to-audio", body))
    assert not read(ENDPOINTS["full-control"], least("full-control"))["sync_mode"]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    body = parsed('{"tags": "pop", "seed": 42.0, "duration": 30}')
    values = read(ENDPOINTS["text-to-audio"], body)
    assert (values["seed"], type(values["seed"])) == (42, int)
    assert values["duration"] == 30


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[1]",
        "3",
        '"a"',
        '{"seed": NaN}',
        '{"seed": Infinity}',
        b"\xff\xfe{",
        "[" * 100_000,
    ],
    ids=["nothing", "half", "list", "number", "text", "nan", "infinity", "bytes", "deep"],
)
def test_bodies_that_are_none(body: str | bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read(ENDPOINTS["text-to-audio"], parsed(body))
    assert caught.value.status == 400


def test_half_characters_are_refused() -> None:
    for text in (
        '{"tags": "\\ud800"}',
        '{"tags": "pop", "\\ud800": 1}',
        '{"tags": 1, "\\ud800": 1}',
    ):
        with pytest.raises(RequestError) as caught:
            read(ENDPOINTS["text-to-audio"], parsed(text))
        str(as_json(refusal(caught.value))).encode()


def test_numbers_beyond_every_range() -> None:
    for text in ("1e400", "-1e400", "1" + "0" * 400, "1e308"):
        for name in ("seed", "duration"):
            with pytest.raises(RequestError) as caught:
                read(ENDPOINTS["text-to-audio"], parsed(f'{{"tags": "pop", "{name}": {text}}}'))
            assert caught.value.problems[0].field == name
            assert len(str(caught.value)) < 200


def test_seeds_are_picked_once_and_kept() -> None:
    body = least("text-to-audio")
    picked = [with_seeds(read(ENDPOINTS["text-to-audio"], body))["seed"] for _ in range(20)]
    assert all(isinstance(seed, int) and 0 <= seed <= 2147483647 for seed in picked)
    assert len(set(picked)) > 15
    assert with_seeds({"seed": 7, "original_seed": -1}) == {"seed": 7, "original_seed": None}


def test_form_fields_are_read_by_their_kind() -> None:
    fields = {"tags": "42", "lyrics": "", "duration": "30", "seed": "7", "enable_sync_mode": "true"}
    values = read(ENDPOINTS["text-to-audio"], from_form(ENDPOINTS["text-to-audio"], fields))
    assert (values["tags"], values["duration"], values["seed"]) == ("42", 30, 7)
    assert values["enable_sync_mode"] is True
    for name, text in {"seed": "seven", "duration": "NaN", "enable_sync_mode": "yes"}.items():
        given = from_form(ENDPOINTS["text-to-audio"], {"tags": "a", name: text})
        assert fails("text-to-audio", given).problems[0].field == name


# --- what a source of that length allows ------------------------------------------------------


def fitting(endpoint: str, seconds: float, **given: Any) -> str:
    """The field that does not fit, if there is one."""
    values = read(ENDPOINTS[endpoint], {**least(endpoint), **given})
    try:
        fits(values, "audio", seconds)
    except RequestError as error:
        return error.problems[0].field
    return ""


@pytest.mark.parametrize(
    ("seconds", "given", "field"),
    [
        (60, {"end_time": 30}, ""),
        (20, {"end_time": 30}, ""),
        (60, {"start_time": 40, "end_time": 30}, "end_time"),
        (3600, {"start_time": 10, "end_time": 240}, ""),
        (3600, {"start_time": 5, "end_time": 5, "end_time_relative_to": "end"}, "end_time"),
        (3600, {"start_time_relative_to": "end", "start_time": 200, "end_time": 0,
                "end_time_relative_to": "end"}, ""),
        (0.05, {}, "audio"),
    ],
)  # fmt: skip
def test_regions_of_a_source(seconds: float, given: dict[str, Any], field: str) -> None:
    assert fitting("audio-inpaint", seconds, **given) == field


@pytest.mark.parametrize("endpoint", ["audio-to-audio", "full-control"])
def test_an_edit_of_the_whole_has_a_limit(endpoint: str) -> None:
    assert fitting(endpoint, 240) == ""
    assert fitting(endpoint, 240.5) == "audio"
    assert fitting(endpoint, 0.01) == "audio"


def test_nothing_added_is_refused_at_once() -> None:
    none = {"extend_before_duration": 0, "extend_after_duration": 0}
    assert fitting("audio-outpaint", 30, **none) == "extend_before_duration"


@pytest.mark.parametrize("seconds", [0.1, 3.0, 30.01, 200.0, 239.99, 240.0, 240.1, 3000.0])
@pytest.mark.parametrize("before", [0, 0.05, 30, 240])
@pytest.mark.parametrize("after", [0, 0.05, 30, 239.9, 239.95, 240])
def test_ends_that_are_accepted_are_made_in_one_run(
    seconds: float, before: float, after: float
) -> None:
    """A graph samples once: what takes two passes failed long after it was accepted."""
    given = {"extend_before_duration": before, "extend_after_duration": after}
    is_accepted = not fitting("audio-outpaint", seconds, **given)
    assert is_accepted <= (before + after > 0)
    if is_accepted:
        samples = round(seconds * 44_100)
        job = SimpleNamespace(
            clip=SimpleNamespace(
                samples=samples,
                rate=44_100,
                frames=frames_encoded(samples, 44_100),
                whole_frames=samples // FRAME,
            ),
            options=Options(),
            is_long=seconds > 240,
        )
        assert len(_stretches(Extend(before, after), job)) == 1  # pyright: ignore[reportArgumentType]
    elif before + after:
        assert seconds > 240 or after > 239.9


def test_a_prompt_is_as_long_as_the_writer_reads() -> None:
    prompt = ENDPOINTS["prompt-to-audio"]
    assert read(prompt, {"prompt": "a" * int(TABLE["prompt"].high or 0)})
    with pytest.raises(RequestError) as caught:
        read(prompt, {"prompt": "a" * (int(TABLE["prompt"].high or 0) + 1)})
    assert [one.field for one in caught.value.problems] == ["prompt"]
