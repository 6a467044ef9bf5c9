from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from acestep_core.config import ModelConfig
from acestep_core.networks.dcae import DCAE, Double, Halve, MultiScaleAttention, PixelNorm
from acestep_core.networks.transformed import Room
from acestep_core.pipeline import ACEStep
from acestep_core.weights.model import build

Drawn = Callable[..., Tensor]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def dcae(pipe: ACEStep) -> DCAE:
    return pipe.model.dcae.module


def without_convolution(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def test_sizes(dcae: DCAE, drawn: Drawn) -> None:
    latent = dcae.encoder(drawn(1, 2, 128, 24))
    assert latent.shape == (1, 8, 16, 3)
    assert dcae.decoder(latent).shape == (1, 2, 128, 24)


def test_shortcut_down_averages_neighbours() -> None:
    """Pixel-unshuffle order: channel 4c + 2dy + dx; then means of consecutive channels."""
    layer = without_convolution(Halve(1, 2, nn))
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 1, 2, 2)
    assert layer(x).flatten().tolist() == [1.5, 3.5]


def test_shortcut_up_repeats_channels() -> None:
    """Two channels to one of twice the size: each twice, then pixel-shuffled."""
    layer = without_convolution(Double(2, 1, nn))
    x = torch.tensor([5.0, 7.0]).reshape(1, 2, 1, 1)
    assert layer(x, Room())[0, 0].tolist() == [[5.0, 5.0], [7.0, 7.0]]


def test_pixel_norm_works_on_channels() -> None:
    layer = PixelNorm(2, nn)
    layer.gain.weight.data = torch.tensor([[1.0, 2.0]])
    layer.offset.weight.data = torch.tensor([[0.0, 10.0]])
    out = layer(torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1))
    assert out.flatten().tolist() == pytest.approx([3 / 12.5**0.5, 10 + 8 / 12.5**0.5], abs=1e-5)


def test_attention_cuts_its_groups_across_the_stack() -> None:
    """Width 12, heads of 4: the first group's q, k and v all come from the query projection."""
    layer = MultiScaleAttention(12, 4, nn)
    for number, part in enumerate((layer.query, layer.key, layer.value)):
        nn.init.zeros_(part.weight)
        part.weight.data[:, 0] = torch.arange(12.0) + 12 * number
    nn.init.zeros_(layer.wide.weight)
    q, k, v = (t[0, :, 0, 0] for t in layer.project(torch.ones(1, 12, 1, 1)))
    assert q.shape == (6, 4)
    assert q[:3].tolist() == [[0, 1, 2, 3], [12, 13, 14, 15], [24, 25, 26, 27]]
    assert (k[0].tolist(), v[0].tolist()) == ([4, 5, 6, 7], [8, 9, 10, 11])
    assert q[3:].abs().max() == 0  # the filtered half


def test_ends_add_averaged_and_repeated_channels(dcae: DCAE, drawn: Drawn) -> None:
    encoder, decoder, wide = dcae.encoder, dcae.decoder, drawn(1, 64, 16, 3)
    means = torch.stack([wide[:, 8 * c : 8 * c + 8].mean(1) for c in range(8)], 1)
    assert torch.allclose(encoder.finish(wide) - encoder.conv_out(wide), means, atol=1e-5)
    latent = drawn(1, 8, 16, 3)
    shortcut = decoder.begin(latent) - decoder.conv_in(latent)
    assert torch.allclose(shortcut[:, 8 * 5 + 3], latent[:, 5], atol=1e-5)


def test_reach_of_the_released_sizes() -> None:
    released = build("dcae", ModelConfig())
    assert isinstance(released, DCAE)
    assert (released.encoder.reach, released.decoder.reach) == (6, 7)


def test_decoder_hears_no_further_than_its_reach(dcae: DCAE, drawn: Drawn) -> None:
    """Far enough away nothing changes; at the reach itself something does."""
    decoder, x = dcae.decoder, drawn(1, 64, 16, 20)
    other = x.clone()
    other[..., 10] += 1
    changed = (decoder.local(other) - decoder.local(x)).abs().amax((0, 1, 2)) > 0
    frames = changed.unflatten(0, (20, 8)).any(1).nonzero().flatten().tolist()
    assert min(frames) >= 10 - decoder.reach
    assert max(frames) <= 10 + decoder.reach
    assert max(frames) - min(frames) >= 2 * decoder.reach - 2  # the bound is not idle


def test_encoder_hears_no_further_than_its_reach(dcae: DCAE, drawn: Drawn) -> None:
    encoder, x = dcae.encoder, drawn(1, 2, 128, 160)
    other = x.clone()
    other[..., 80:88] += 1  # frame 10
    changed = (encoder.local(other) - encoder.local(x)).abs().amax((0, 1, 2)) > 0
    frames = changed.nonzero().flatten().tolist()
    assert min(frames) >= 10 - encoder.reach
    assert max(frames) <= 10 + encoder.reach
    assert max(frames) - min(frames) >= 2 * encoder.reach - 2
