import copy

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from worker.engine.small_maps import SmallMapConv2d, quickened
from worker.engine.tiling import convolutions, seamless

CPU = torch.device("cpu")


def wide(side: int, dtype: torch.dtype) -> tuple[nn.Sequential, nn.Sequential, torch.Tensor]:
    """Return a network, the same quickened, and a batch for both."""
    torch.manual_seed(0)
    own = nn.Sequential(nn.Conv2d(640, 24, 3, padding=1)).to(dtype, memory_format=torch.channels_last)
    quick = quickened(copy.deepcopy(own, {id(each): each for each in own.parameters()}), CPU)
    batch = torch.randn(3, 640, side, side + 1).to(dtype, memory_format=torch.channels_last)
    return own, quick, batch


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("side", [1, 4, 7])
@torch.inference_mode()
def test_the_product_is_the_convolution(side: int, dtype: torch.dtype, tolerance: float) -> None:
    own, quick, batch = wide(side, dtype)
    assert isinstance(quick[0], SmallMapConv2d)
    torch.testing.assert_close(quick(batch), own(batch), atol=tolerance, rtol=tolerance)


@torch.inference_mode()
def test_maps_that_are_not_small_and_edges_that_meet_stay_with_the_library() -> None:
    own, quick, batch = wide(12, torch.float32)
    assert torch.equal(quick(batch), own(batch))
    own, quick, batch = wide(4, torch.float32)
    with seamless(convolutions(own, quick), wanted=True):
        assert torch.equal(quick(batch), own(batch))


@torch.inference_mode()
def test_a_network_keeps_its_weights_and_draws_the_same() -> None:
    torch.manual_seed(0)
    network = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 640),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=16,
        norm_num_groups=16,
    ).to(memory_format=torch.channels_last)
    given = (torch.randn(2, 4, 8, 8), torch.tensor([500, 20]), torch.randn(2, 5, 16))
    names = list(network.state_dict())
    before = network(*given).sample
    quick = quickened(network, CPU)
    assert sum(isinstance(each, SmallMapConv2d) for each in quick.modules()) > 3
    assert list(quick.state_dict()) == names
    torch.testing.assert_close(quick(*given).sample, before, atol=1e-4, rtol=1e-4)


def test_a_graphics_card_keeps_its_own_way() -> None:
    network = nn.Sequential(nn.Conv2d(640, 8, 3, padding=1))
    assert type(quickened(network, torch.device("meta"))[0]) is nn.Conv2d
