from functools import partial

import pytest
import torch
from scipy.ndimage import distance_transform_edt
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from paperimpl.papers.unet import UNet, cropped, energy, overlap_tile, weight_map

B, C, K, H, W = 2, 3, 5, 11, 13  # different primes
assert_same = partial(assert_close, rtol=1e-10, atol=1e-10)


@pytest.fixture(autouse=True)
def in_double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def net(**settings):
    return UNet(C, K, **{"width": 2, "depth": 3} | settings).eval()


def maps(unet, x):
    """Run a net and return the shape of every feature map that a convolution makes, in order, and its output."""
    seen = []
    for layer in unet.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda *call: seen.append(tuple(call[2].shape[1:])))
    return seen, unet(x)


def test_a_merge_reads_as_many_maps_from_below_as_from_the_way_down():
    unet = UNet(width=3)
    assert [merge[0].in_channels for merge in unet.merge] == [48, 24, 12, 6]
    assert [up.out_channels for up in unet.up] == [24, 12, 6, 3]


def test_the_net_of_figure_1_has_31_million_weights():  # the paper counts none; many who built it count these
    a, b, c = (sum(p.numel() for p in UNet(width=width).parameters()) for width in (1, 2, 3))
    quadratic = (a - 2 * b + c) // 2  # in the width, as every layer is
    slope = b - a - 3 * quadratic
    assert 64**2 * quadratic + 64 * slope + a - quadratic - slope == 31_030_658


def test_a_padded_net_keeps_the_size_at_every_resolution():
    seen, out = maps(net(padded=True), torch.randn(B, C, 12, 20))
    assert {shape[1:] for shape in seen} == {(12, 20), (6, 10), (3, 5)}
    assert out.shape == (B, K, 12, 20)
    assert net(padded=True).margin == 0


@pytest.mark.parametrize(("depth", "size"), [(1, 7), (2, 20), (3, 44), (4, 92)])
def test_a_net_loses_its_margin_on_each_side(depth, size):
    unet = net(depth=depth)
    assert net(depth=depth)(torch.randn(1, C, size, size + 16)).shape == (
        1,
        K,
        size - 2 * unet.margin,
        size + 16 - 2 * unet.margin,
    )
    assert UNet(width=1).margin == (572 - 388) // 2


@pytest.mark.parametrize(("size", "level", "odd"), [((45, 44), 1, "41 x 40"), ((44, 46), 2, "16 x 17")])
def test_a_map_with_an_odd_side_is_not_pooled(size, level, odd):
    with pytest.raises(ValueError, match=f"level {level} would pool {odd} pixels"):
        net()(torch.randn(1, C, *size))


def test_a_crop_is_the_centre():
    x = torch.randn(B, C, H, W)
    assert torch.equal(cropped(x, torch.empty(B, K, 5, 3)), x[:, :, 3:8, 5:8])
    assert torch.equal(cropped(x, x), x)


def zero_stuffed(x, layer):
    """Put a zero behind every pixel, down and across, and convolve with the kernels turned round."""
    stuffed = x.new_zeros(*x.shape[:2], 2 * x.shape[2] + 1, 2 * x.shape[3] + 1)
    stuffed[:, :, 1::2, 1::2] = x
    return F.conv2d(stuffed, layer.weight.flip(2, 3).transpose(0, 1), layer.bias)


@pytest.mark.oracle
def test_an_up_convolution_is_a_convolution_of_a_map_stuffed_with_zeros():
    layer, x = net().up[0], torch.randn(B, 8, H, W)
    nn.init.normal_(layer.bias)
    assert_same(layer(x), zero_stuffed(x, layer))


@pytest.mark.oracle
@pytest.mark.parametrize("padded", [False, True])
def test_a_net_of_two_resolutions_is_its_layers_in_order(padded):
    unet, x = net(depth=2, padded=padded, width=4), torch.randn(B, C, 22, 24)
    for name, p in unet.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(p)
    p, pad = dict(unet.named_parameters()), int(padded)

    def twice(h, name):
        for i in (0, 2):
            h = F.conv2d(h, p[f"{name}.{i}.weight"], p[f"{name}.{i}.bias"], padding=pad).relu()
        return h

    fine = twice(x, "down.0")
    coarse = twice(F.max_pool2d(fine, 2), "down.1")
    up = zero_stuffed(coarse, unet.up[0])
    lost = (fine.shape[2] - up.shape[2]) // 2
    merged = twice(torch.cat([fine[:, :, lost : fine.shape[2] - lost, lost : fine.shape[3] - lost], up], 1), "merge.0")
    assert_same(unet(x), F.conv2d(merged, p["classify.weight"], p["classify.bias"]))


def test_a_pixel_sees_its_margin_on_each_side_and_what_is_pooled_with_it():
    unet = net(depth=2)
    for p in unet.parameters():
        nn.init.constant_(p, 0.1)
    x = torch.rand(1, C, 28, 32, requires_grad=True)
    for at, last in ((6, 23), (7, 23), (8, 25)):
        seen = torch.autograd.grad(unet(x)[0, :, at, 2].sum(), x)[0][0, 0].sum(dim=1).nonzero().flatten()
        assert seen.tolist() == list(range(at - at % 2, last + 1))
        assert last - at % 2 - (at - at % 2 + unet.margin) == unet.margin + 1 - at % 2


def test_the_skip_carries_what_pooling_lost():
    unet, x = net(depth=2, padded=True, width=8), torch.zeros(1, C, 4, 4)
    moved = torch.zeros(1, C, 4, 4)
    x[0, :, 0, 0], moved[0, :, 0, 1] = 5.0, 5.0
    for name, p in unet.named_parameters():
        if name.startswith("down.0") and name.endswith("weight"):  # each of these layers passes its input on
            nn.init.zeros_(p)
            p.data[:, :, 1, 1] = torch.eye(*p.shape[:2])
    assert torch.equal(F.max_pool2d(unet.down[0](x), 2), F.max_pool2d(unet.down[0](moved), 2))
    assert not torch.allclose(unet(x), unet(moved))


def test_first_weights_have_variance_2_over_the_inputs_of_a_unit():
    torch.manual_seed(0)
    unet = UNet(C, K, width=16, depth=3)
    for layer in [*unet.down[1], *unet.merge[0], *unet.up]:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            n_into = layer.in_channels * (9 if isinstance(layer, nn.Conv2d) else 1)
            assert layer.weight.var().item() == pytest.approx(2 / n_into, rel=0.12)
            assert not layer.bias.any()
    assert unet.classify.weight.var().item() == pytest.approx(2 / 16, rel=0.5)


def test_dropout_is_at_the_end_of_the_contracting_path():
    unet = net(depth=3, p_drop=1.0, padded=True).train()
    for p in unet.parameters():
        nn.init.constant_(p, 0.1)
    kept = []
    unet.merge[0].register_forward_pre_hook(lambda _, x: kept.append(x[0]))
    unet.merge[1].register_forward_pre_hook(lambda _, x: kept.append(x[0]))
    unet(torch.ones(1, C, 8, 8))
    assert not kept[0][:, :4].any()  # the last but one resolution is dropped
    assert kept[0][:, 4:].eq(0.1).all()  # and the last, which leaves the biases of the up-convolution
    assert kept[1][:, :2].all()  # the first is not


@pytest.mark.oracle
def test_tiles_that_step_by_whole_poolings_make_the_map_of_the_whole_image():
    unet, image = net(depth=2), torch.randn(B, C, 19, 23)
    margin = unet.margin
    mirrored = F.pad(image, (margin, margin + 1, margin, margin + 1), mode="reflect")
    whole = unet(mirrored)[:, :, :19, :23]
    assert_same(overlap_tile(unet, image, tile=8, margin=margin, step=4), whole)
    assert_same(overlap_tile(unet, image, tile=12, margin=margin, step=8), whole)
    assert not torch.allclose(overlap_tile(unet, image, tile=8, margin=margin, step=3), whole)


def test_tiles_just_meet_unless_they_are_told_to_step_closer():
    image, seen = torch.randn(B, C, H, W), []

    def middle(piece):
        seen.append(piece.shape[2:])
        return piece[:, :, 2:-2, 2:-2]

    assert torch.equal(overlap_tile(middle, image, tile=5, margin=2), image)
    assert seen == [(9, 9)] * 9
    assert torch.equal(overlap_tile(middle, image, tile=7, margin=2, step=3), image)
    assert len(seen) == 9 + 4 * 5
    assert torch.equal(overlap_tile(middle, image, tile=13, margin=2), image)


def test_what_lies_outside_the_image_is_its_mirror_image():
    image = torch.arange(5.0).expand(1, 1, 5, 5)
    pieces = []
    overlap_tile(lambda piece: pieces.append(piece) or piece[:, :, 2:-2, 2:-2], image, tile=3, margin=2)
    assert pieces[0][0, 0, 0].tolist() == [2, 1, 0, 1, 2, 3, 4]
    assert pieces[1][0, 0, 0].tolist() == [1, 2, 3, 4, 3, 2, 1]
    assert pieces[0][0, 0].T.tolist() != pieces[0][0, 0].tolist()


@pytest.mark.oracle
def test_the_energy_is_torchs_cross_entropy_times_the_weights():
    scores, labels, weights = torch.randn(B, K, H, W), torch.randint(K, (B, H, W)), torch.rand(B, H, W)
    assert_same(energy(scores, labels, weights), (weights * F.cross_entropy(scores, labels, reduction="none")).sum())


def three_cells():
    cells = torch.zeros(17, 23, dtype=torch.long)
    cells[2:7, 3:9] = 1
    cells[2:9, 11:17] = 2
    cells[12:16, 4:20] = 7
    return cells


@pytest.mark.oracle
@pytest.mark.parametrize(("w_0", "sigma"), [(10.0, 5.0), (3.0, 1.5)])
def test_the_weight_map_is_equation_2_with_scipys_distances(w_0, sigma):
    cells = three_cells()
    far = torch.stack([torch.from_numpy(distance_transform_edt((cells != n).numpy())) for n in (1, 2, 7)])
    first, second = far.sort(dim=0).values[:2]
    n_cells = int((cells > 0).sum())
    w_c = torch.where(cells > 0, cells.numel() / (2 * n_cells), cells.numel() / (2 * (cells.numel() - n_cells)))
    assert_same(weight_map(cells, w_0, sigma), w_c + w_0 * torch.exp(-((first + second) ** 2) / (2 * sigma**2)))
    assert_same(weight_map(cells), weight_map(cells, 10.0, 5.0))


def test_without_gaps_the_weights_balance_the_classes_and_are_1_on_average():
    cells = (three_cells() == 7).long()
    weights = weight_map(cells)
    assert_same(weights.mean(), torch.tensor(1.0))
    assert_same(weights[cells > 0].sum(), weights[cells == 0].sum())
    assert_same(weight_map(three_cells(), w_0=0.0).mean(), torch.tensor(1.0))


def test_the_narrower_a_gap_the_more_it_weighs():
    weights = weight_map(three_cells())
    in_the_gap, above, far = weights[4, 10], weights[0, 10], weights[10, 21]
    assert in_the_gap > above > far
    assert in_the_gap - weights.min() > 8


def test_every_size_that_figure_1_prints_follows():
    with torch.no_grad():
        seen, out = maps(UNet(width=1).float().eval(), torch.zeros(1, 1, 572, 572, dtype=torch.float32))
    down = [(64, 570), (64, 568), (128, 282), (128, 280), (256, 138), (256, 136), (512, 66), (512, 64)]
    bottom = [(1024, 30), (1024, 28)]
    up = [(512, 56), (512, 54), (512, 52), (256, 104), (256, 102), (256, 100)]
    up += [(128, 200), (128, 198), (128, 196), (64, 392), (64, 390), (64, 388)]
    assert seen == [(channels // 64, size, size) for channels, size in down + bottom + up] + [(2, 388, 388)]
    assert len(seen) == 23  # "In total the network has 23 convolutional layers" (section 2)
    assert out.shape == (1, 2, 388, 388)
