from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from acestep_core.config import ModelConfig, VocoderConfig
from acestep_core.networks.transformed import Room
from acestep_core.networks.vocoder import PIECE, ResidualBlock, Stem, Vocoder
from acestep_core.pipeline import ACEStep
from acestep_core.weights.model import build

Drawn = Callable[..., Tensor]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def vocoder(pipe: ACEStep) -> Vocoder:
    return pipe.model.vocoder.module


def test_512_samples_a_mel_frame_within_full_scale(vocoder: Vocoder, drawn: Drawn) -> None:
    wave = vocoder(10 * drawn(2, 128, 3))
    assert wave.shape == (2, 1, 3 * 512)
    assert wave.abs().max() <= 1


def test_stereo_is_a_batch_of_two(vocoder: Vocoder, drawn: Drawn) -> None:
    mel = drawn(2, 128, 3)
    both = vocoder(mel)
    for i in range(2):
        assert torch.allclose(both[i], vocoder(mel[i : i + 1])[0], atol=1e-5)


def test_stem_repeats_its_edges() -> None:
    stem = Stem(4, 6, 7, nn)
    out = stem(torch.arange(4.0)[None, :, None, None].expand(1, 4, 1, 5))
    assert torch.allclose(out, out[..., :1].expand_as(out), atol=1e-6)


def test_residual_block_of_zero_weights_passes_its_input(drawn: Drawn) -> None:
    block = ResidualBlock(4, 3, (1, 3, 5), nn)
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x = drawn(1, 4, 1, 9)
    assert torch.equal(block(x, Room()), x)


def test_reach_of_the_released_sizes() -> None:
    released = build("vocoder", ModelConfig())
    assert isinstance(released, Vocoder)
    assert released.reach >= 77  # measured on the original; ours counts every tap


def test_hears_no_further_than_its_reach(drawn: Drawn) -> None:
    sizes = VocoderConfig(
        depths=(1, 1, 1, 1),
        dims=(8, 8, 8, 8),
        num_mels=8,
        upsample_initial_channel=128,
        resblock_kernel_sizes=(3, 5),
        resblock_dilation_sizes=((1, 3), (1, 2)),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Vocoder(sizes).double()
    reach = network.reach
    mel = drawn(1, 128, 2 * reach + 9).double()
    other = mel.clone()
    other[..., reach + 4] += 1
    changed = (network(other) - network(mel)).abs()[0, 0].unflatten(0, (-1, 512)).amax(1) > 0
    frames = changed.nonzero().flatten().tolist()
    assert 4 <= min(frames) <= 8  # at most the reach away, and the bound is not idle
    assert 2 * reach <= max(frames) <= 2 * reach + 4


def test_pieces_are_the_whole(drawn: Drawn) -> None:
    """Levels of few channels are computed in pieces on CPUs; each has all that it depends on."""
    sizes = VocoderConfig(num_mels=8, upsample_initial_channel=128, dims=(8, 8, 8, 8))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = Vocoder(sizes).double().head
    assert head.fine == 0
    x = drawn(2, 8, 1, 2 * PIECE + 9).double()
    with torch.enable_grad():  # as in training: whole
        whole = head(x).detach()
    assert torch.allclose(head(x), whole, rtol=0, atol=1e-14)
