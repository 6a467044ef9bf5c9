"""Tiles against the whole, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from acestep_core.config import FRAME, GRIFFIN_LIM, VOCODER, ModelConfig
from acestep_core.networks import memory
from acestep_core.networks.dcae import DCAE
from acestep_core.networks.memory import Resident
from acestep_core.networks.vocoder import Head, Vocoder
from acestep_core.pipeline import ACEStep
from acestep_core.settings import SettingError
from acestep_core.sound.codec import Codec
from acestep_core.sound.mel import log_mel
from acestep_core.sound.tiles import TILED, WHOLE, Tiles
from acestep_core.types import Latent

Drawn = Callable[..., Tensor]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def codec(pipe: ACEStep) -> Codec:
    return pipe.codec


def close(tiled: Tensor, whole: Tensor) -> bool:
    return bool((tiled - whole).abs().max() <= 2e-5 * whole.abs().max())


@pytest.mark.parametrize(("frames", "calls"), [(8, 0), (4, 1 + 2 * (3 + 1))])
def test_memory_is_handed_back_within_tiles_where_another_follows(
    codec: Codec, monkeypatch: pytest.MonkeyPatch, frames: int, calls: int
) -> None:
    given: list[bool] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(True))
    codec.decode(Latent(torch.zeros(1, 8, 16, 8)), Tiles(frames))
    assert len(given) == calls, "after the attention, the decoder's levels and the head's wide ones"


@pytest.mark.parametrize(
    ("frames", "tile"), [(1, 1), (3, 1), (5, 2), (12, 1), (12, 3), (12, 5), (12, 11), (12, 12)]
)
def test_tiled_mel_equals_the_whole(frames: int, tile: int, codec: Codec, drawn: Drawn) -> None:
    """Lengths below and above the networks' reach, tiles down to a single frame."""
    latent = Latent(drawn(1, 8, 16, frames))
    assert close(codec.decode_mel(latent, Tiles(tile)), codec.decode_mel(latent, WHOLE))


@pytest.mark.parametrize(
    ("frames", "tile"), [(1, 1), (3, 1), (5, 2), (16, 1), (16, 3), (16, 7), (16, 15)]
)
def test_tiled_encoding_equals_the_whole(
    frames: int, tile: int, codec: Codec, drawn: Drawn
) -> None:
    wave = 0.1 * drawn(1, 2, frames * FRAME)
    assert close(codec.encode(wave, Tiles(tile)).z, codec.encode(wave, WHOLE).z)


@pytest.fixture
def small(codec: Codec) -> Codec:
    """A vocoder with few filters, so that many tiles take little time."""
    sizes = replace(
        codec.mel,
        upsample_initial_channel=128,
        resblock_kernel_sizes=(3, 5),
        resblock_dilation_sizes=((1, 3), (1, 2)),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Vocoder(sizes).eval()
    return replace(codec, vocoder=Resident(network, torch.float32, CPU))


@pytest.mark.parametrize(("frames", "tile"), [(1, 1), (3, 1), (12, 5), (24, 7)])
def test_tiled_waveform_equals_the_whole(
    frames: int, tile: int, small: Codec, drawn: Drawn
) -> None:
    """The last case is long enough for a tile in the middle to hear neither end."""
    assert 7 * 8 + 2 * small.vocoder.module.reach < 24 * 8
    latent = Latent(drawn(1, 8, 16, frames))
    tiled, whole = small.decode(latent, Tiles(tile)), small.decode(latent, WHOLE)
    assert close(tiled, whole)
    for part in (slice(0, FRAME), slice(-FRAME, None)):
        assert close(tiled[..., part], whole[..., part])


def test_batched_equals_single(codec: Codec, drawn: Drawn) -> None:
    z = drawn(2, 8, 16, 3)
    both = codec.decode(Latent(z))
    assert both.shape == (2, 2, 3 * FRAME)
    for i in range(2):
        assert torch.allclose(both[i], codec.decode(Latent(z[i : i + 1]))[0], atol=1e-5)
    waves = 0.1 * drawn(2, 2, 2 * FRAME)
    encoded = codec.encode(waves).z
    for i in range(2):
        assert torch.allclose(encoded[i], codec.encode(waves[i : i + 1]).z[0], atol=1e-5)


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (4096, 1), (4097, 2), (8192, 2), (20_000, 5)]
)
def test_clips_are_padded_to_whole_frames(samples: int, frames: int, codec: Codec) -> None:
    assert codec.encode(torch.zeros(1, 1, samples)).frames == frames


def test_padding_is_silence_on_the_right(codec: Codec, drawn: Drawn) -> None:
    wave = 0.1 * drawn(1, 2, 5000)
    padded = torch.nn.functional.pad(wave, (0, 2 * FRAME - 5000))
    assert torch.equal(codec.encode(wave).z, codec.encode(padded).z)


def test_mono_is_heard_on_both_sides(codec: Codec, drawn: Drawn) -> None:
    mono = 0.1 * drawn(1, 1, FRAME)
    assert torch.equal(codec.encode(mono).z, codec.encode(mono.repeat(1, 2, 1)).z)


def test_surround_is_refused(codec: Codec) -> None:
    with pytest.raises(SettingError, match="6 channels; it must be mono or stereo"):
        codec.encode(torch.zeros(1, 6, FRAME))


def test_scaling_of_the_latent(codec: Codec, drawn: Drawn) -> None:
    """The networks see (mel + 11) / 7 - 1 and give (latent / 0.1786) - 1.9091."""
    wave = 0.1 * drawn(2, 2 * FRAME)
    mel = log_mel(wave, codec.mel)[None]
    raw = codec.dcae.module.encoder((mel + 11) / 7 - 1)
    latent = codec.encode(wave[None], WHOLE)
    assert torch.allclose(latent.z, (raw + 1.9091) * 0.1786, atol=1e-5)
    back = codec.dcae.module.decoder(latent.z / 0.1786 - 1.9091)
    expected = (back + 1) * 7 - 11
    assert torch.allclose(codec.decode_mel(latent, WHOLE), expected, atol=1e-4)


def test_every_piece_is_reported(codec: Codec, drawn: Drawn) -> None:
    seen: list[tuple[int, int]] = []
    codec.decode(
        Latent(drawn(2, 8, 16, 3)), Tiles(2), lambda done, total: seen.append((done, total))
    )
    # 2 items, 2 networks, 2 pieces; moments to cancel in between say the same again.
    assert list(dict.fromkeys(seen)) == [(i, 8) for i in range(1, 9)]
    seen.clear()
    codec.encode(torch.zeros(1, 2, 3 * FRAME), Tiles(2), lambda *piece: seen.append(piece))
    assert seen == [(1, 2), (2, 2)]


def test_an_exception_while_watching_cancels(codec: Codec, drawn: Drawn) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        codec.decode(Latent(drawn(1, 8, 16, 2)), TILED, stop)


def test_half_precision_networks_give_float32(pipe: ACEStep, drawn: Drawn) -> None:
    half = DCAE(pipe.model.config.dcae).bfloat16()
    half.load_state_dict(pipe.model.dcae.module.state_dict())
    part = Resident(half, torch.bfloat16, CPU)
    codec = Codec(part, pipe.model.vocoder, pipe.model.config.vocoder)
    latent = Latent(drawn(1, 8, 16, 2))
    mel, exact = codec.decode_mel(latent), pipe.codec.decode_mel(latent)
    assert mel.dtype == torch.float32
    assert (mel - exact).norm() / exact.norm() < 0.1
    assert codec.encode(torch.zeros(1, 2, FRAME)).z.dtype == torch.float32


@pytest.fixture
def half(pipe: ACEStep) -> Codec:
    """Both networks in float16."""
    networks = (DCAE(pipe.model.config.dcae), Vocoder(pipe.model.config.vocoder))
    parts = []
    for network, name in zip(networks, ("dcae", "vocoder"), strict=True):
        network.load_state_dict(getattr(pipe.model, name).module.state_dict())
        parts.append(Resident(network.half().eval(), torch.float16, CPU))
    return Codec(*parts, pipe.model.config.vocoder)


def test_float16_where_it_reaches_far_enough(
    half: Codec, codec: Codec, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    latent = Latent(drawn(1, 8, 16, 3))
    wave, exact = half.decode(latent), codec.decode(latent)
    assert wave.dtype == torch.float32
    assert 0 < float((wave - exact).norm() / exact.norm()) < 0.02
    assert not caplog.records


@pytest.mark.parametrize(
    "layer", ["decoder.conv_in", "decoder.stages.0.1.first", "decoder.stages.2.0.conv"]
)
def test_what_float16_cannot_hold_is_made_again(
    layer: str, half: Codec, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    """A bias that leaves the range: before the attention, between, and in the finest level."""
    network = half.dcae.module
    network.get_submodule(layer).bias.fill_(6e4)  # pyright: ignore[reportCallIssue]
    second = network.get_submodule("decoder.stages.0.1.second").weight
    second.mul_(100)  # pyright: ignore[reportCallIssue]
    exact = replace(half, dcae=Resident(DCAE(network.config), torch.float32, CPU))
    exact.dcae.module.load_state_dict(network.state_dict())
    latent = Latent(drawn(1, 8, 16, 5))
    mel, wanted = half.decode_mel(latent, Tiles(2)), exact.decode_mel(latent, Tiles(2))
    assert bool(torch.isfinite(mel).all())
    assert (mel - wanted).norm() / wanted.norm() < 0.05
    assert [record.levelname for record in caplog.records] == ["WARNING"]  # said once


def test_encoding_in_float16_is_careful_as_well(
    half: Codec, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    network = half.dcae.module.encoder
    network.attention[0].attention.out.weight.fill_(6e4)  # pyright: ignore
    latent = half.encode(0.1 * drawn(1, 2, 3 * FRAME))
    assert bool(torch.isfinite(latent.z).all())
    assert "float32" in caplog.text


@dataclass(frozen=True)
class Faulty(Resident[Vocoder]):
    """One that 16 bits make wrong; `good` is what it is in float32."""

    good: Vocoder | None = None

    def wide(self, network: Vocoder) -> Vocoder:
        assert self.good
        return self.good


def test_a_tile_with_dc_is_made_again(
    codec: Codec, drawn: Drawn, caplog: pytest.LogCaptureFixture
) -> None:
    good = codec.vocoder.module
    bad = Vocoder(codec.mel)
    bad.load_state_dict(good.state_dict())
    last = [name for name, _ in bad.named_parameters() if name.endswith("bias")][-1]
    bad.get_parameter(last).fill_(0.5)
    part = Faulty(bad.bfloat16().eval(), torch.bfloat16, CPU, good)
    latent = Latent(drawn(1, 8, 16, 5))
    wave = replace(codec, vocoder=part).decode(latent, Tiles(2))
    exact = codec.decode(latent, Tiles(2))
    assert "bfloat16 cannot hold these sounds (DC)" in caplog.text
    assert len(caplog.records) == 1  # said once
    assert abs(float(wave.mean())) < 0.05
    assert float((wave - exact).norm() / exact.norm()) < 0.2  # the backbone's part stays in 16 bits


def test_dc_of_the_weights_costs_one_tile(
    codec: Codec, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where float32 has it as well, the tiles that follow stay as 16 bits made them."""
    good = Vocoder(codec.mel)  # one of its own: the model's is others' as well
    good.load_state_dict(codec.vocoder.module.state_dict())
    good.eval()
    last = [name for name, _ in good.named_parameters() if name.endswith("bias")][-1]
    good.get_parameter(last).data.fill_(0.5)
    half = Vocoder(codec.mel)
    half.load_state_dict(good.state_dict())
    part = Faulty(half.bfloat16().eval(), torch.bfloat16, CPU, good)
    heads, forward = list[torch.dtype](), Head.forward

    def counted(head: Head, *args: Any) -> torch.Tensor:
        heads.append(args[0].dtype)
        return forward(head, *args)

    monkeypatch.setattr(Head, "forward", counted)
    replace(codec, vocoder=part).decode(Latent(drawn(1, 8, 16, 8)), Tiles(2))
    assert heads.count(torch.float32) == 1
    assert heads.count(torch.bfloat16) == 4


def test_released_mel_settings() -> None:
    sizes = ModelConfig().vocoder
    assert (sizes.hop_length, sizes.n_mels, sizes.sampling_rate) == (512, 128, 44_100)


def test_griffin_lim_in_tiles_is_that_of_the_whole(codec: Codec, drawn: Drawn) -> None:
    """Phases feel rounding: where a bin is all but silent, its phase is anybody's."""
    codec, latent = replace(codec, sound=GRIFFIN_LIM), Latent(drawn(1, 8, 16, 40))
    ticks = []
    whole = codec.decode(latent, WHOLE)
    tiled = codec.decode(latent, Tiles(9), lambda done, total: ticks.append((done, total)))
    assert whole.shape == (1, 2, 40 * FRAME)
    assert float((tiled - whole).norm() / whole.norm()) < 1e-3
    assert ticks[-1] == (10, 10)


@pytest.mark.parametrize("sound", [VOCODER, GRIFFIN_LIM])
@pytest.mark.parametrize("tile", [3, 7, None])
def test_what_is_heard_is_what_it_is_in_the_whole(
    sound: str, tile: int | None, codec: Codec, drawn: Drawn
) -> None:
    """To the last bit, at the ends and in the middle, and with less work."""
    frames, seen = 60, list[int]()
    codec, latent = replace(codec, sound=sound), Latent(drawn(1, 8, 16, frames))
    whole = codec.decode(latent, Tiles(tile), lambda done, total: seen.append(total))
    for heard in ([(0, 1)], [(31, 34)], [(2, 4), (58, 60)]):
        few: list[int] = []
        count = few.append
        part = codec.decode(latent, Tiles(tile), lambda done, total, n=count: n(total), heard)
        for first, last in heard:
            span = slice(first * FRAME, last * FRAME)
            assert torch.equal(part[..., span], whole[..., span])
        assert tile is None or few[-1] < seen[-1]
        assert len(set(few)) == 1
