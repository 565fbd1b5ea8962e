import keras
import numpy as np
import pytest
from keras import layers

from tfcolor.models import efficientnet_lite
from tfcolor.weights import efficientnet_files
from tfcolor.weights import pytorch_files


def _published(variant="lite0", seed=0):
    """Random arrays under the names and in the shapes of a published file."""
    rng = np.random.default_rng(seed)
    arrays = {}

    def conv(name, norm, shape):
        arrays[f"{name}.weight"] = rng.normal(0, 0.1, shape)
        filters = shape[0]
        arrays[f"{norm}.weight"] = rng.uniform(0.5, 2, filters)
        arrays[f"{norm}.bias"] = rng.normal(0, 0.5, filters)
        arrays[f"{norm}.running_mean"] = rng.normal(0, 0.5, filters)
        arrays[f"{norm}.running_var"] = rng.uniform(0.1, 3, filters)
        arrays[f"{norm}.num_batches_tracked"] = np.array(7)

    conv("_conv_stem", "_bn0", (32, 3, 3, 3))
    for i, block in enumerate(efficientnet_lite.blocks(variant)):
        name, wide = f"_blocks.{i}", block.inputs * block.expansion
        if block.expansion != 1:
            conv(
                f"{name}._expand_conv",
                f"{name}._bn0",
                (wide, block.inputs, 1, 1),
            )
        kernel = (wide, 1, block.kernel_size, block.kernel_size)
        conv(f"{name}._depthwise_conv", f"{name}._bn1", kernel)
        conv(
            f"{name}._project_conv", f"{name}._bn2", (block.filters, wide, 1, 1)
        )
    conv("_conv_head", "_bn1", (1280, 320, 1, 1))
    arrays["_fc.weight"], arrays["_fc.bias"] = np.zeros((9, 1280)), np.zeros(9)
    return arrays


def _unfolded(x, arrays, variant):
    """The network as published: convolutions, then normalizations."""

    def conv(x, name, norm, *, strides=1, relu=True):
        kernel = arrays[f"{name}.weight"]
        depthwise = "depthwise" in name
        options = {"strides": strides, "padding": "same", "use_bias": False}
        if depthwise:
            layer = layers.DepthwiseConv2D(kernel.shape[-1], **options)
        else:
            layer = layers.Conv2D(kernel.shape[0], kernel.shape[-1], **options)
        layer.build(x.shape)
        order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        layer.set_weights([kernel.transpose(order)])
        batch_norm = layers.BatchNormalization(epsilon=1e-3)
        batch_norm.build((*x.shape[:-1], kernel.shape[0]))
        parts = ("weight", "bias", "running_mean", "running_var")
        batch_norm.set_weights([arrays[f"{norm}.{part}"] for part in parts])
        y = batch_norm(layer(x))
        return keras.ops.relu6(y) if relu else y

    x = conv(x, "_conv_stem", "_bn0", strides=2)
    found, blocks = [], efficientnet_lite.blocks(variant)
    for i, block in enumerate(blocks):
        name, entered = f"_blocks.{i}", x
        if block.expansion != 1:
            x = conv(x, f"{name}._expand_conv", f"{name}._bn0")
        x = conv(
            *(x, f"{name}._depthwise_conv", f"{name}._bn1"),
            strides=block.stride,
        )
        x = conv(x, f"{name}._project_conv", f"{name}._bn2", relu=False)
        if x.shape == entered.shape:
            x = x + entered
        found.append(x)
    return [found[i] for i in _ends(blocks)]


def _ends(blocks):
    """The last block of each scale."""
    return [i - 1 for i, b in enumerate(blocks) if b.stride == 2] + [
        len(blocks) - 1
    ]


def test_lite0_has_the_published_blocks():
    blocks = efficientnet_lite.blocks()
    assert [b.filters for b in blocks] == (
        [16] + [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320]
    )
    assert _ends(blocks) == [0, 2, 4, 10, 15]


@pytest.mark.parametrize("variant, count", [("lite1", 21), ("lite2", 21)])
def test_larger_variants_have_more_blocks(variant, count):
    # First and last stage stay single, as published.
    assert len(efficientnet_lite.blocks(variant)) == count


@pytest.mark.parametrize(
    "variant", ["lite0", pytest.param("lite2", marks=pytest.mark.slow)]
)
def test_folded_weights_do_what_convolutions_and_normalizations_do(variant):
    arrays = _published(variant)
    model = efficientnet_lite.efficientnet_lite(variant=variant)
    efficientnet_lite.set_folded(
        model, efficientnet_lite.fold(arrays, variant=variant)
    )
    for size in ((64, 64), (32, 96)):
        x = (
            np.random.default_rng(1)
            .normal(size=(2, *size, 3))
            .astype("float32")
        )
        for ours, theirs in zip(
            model(x), _unfolded(x, arrays, variant), strict=True
        ):
            scale = np.abs(theirs).max()
            np.testing.assert_allclose(ours, theirs, atol=1e-5 * scale)


def test_one_channel_is_three_equal_ones():
    folded = efficientnet_lite.fold(_published())
    grey = efficientnet_lite.efficientnet_lite(channels=1)
    color = efficientnet_lite.efficientnet_lite()
    for model in (grey, color):
        efficientnet_lite.set_folded(model, folded)
    x = np.random.default_rng(1).normal(size=(1, 32, 64, 1)).astype("float32")
    for one, three in zip(grey(x), color(np.repeat(x, 3, -1)), strict=True):
        scale = np.abs(three).max()
        np.testing.assert_allclose(one, three, atol=1e-5 * scale)


@pytest.mark.parametrize(
    "change, reason",
    [
        (
            lambda a: a.pop("_blocks.3._bn2.bias"),
            "none named.*_blocks.3._bn2.bias",
        ),
        (
            lambda a: a.update({"_blocks.16._bn0.bias": np.zeros(3)}),
            "no other.*16",
        ),
    ],
)
def test_arrays_that_are_missing_or_strange_are_named(change, reason):
    arrays = _published()
    change(arrays)
    with pytest.raises(ValueError, match=reason):
        efficientnet_lite.fold(arrays)


def test_an_unknown_variant_is_refused():
    with pytest.raises(
        ValueError, match="one of.*lite0.*Received: variant='b0'"
    ):
        efficientnet_lite.blocks("b0")


def test_without_their_package_weights_are_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(efficientnet_files, "find", lambda variant: None)
    with pytest.raises(FileNotFoundError, match=r"extra \[pretrained\]"):
        efficientnet_files.load_encoder(efficientnet_lite.efficientnet_lite())


@pytest.mark.parametrize("variant", ["lite0", "lite1", "lite2"])
def test_the_published_file_gives_what_the_pytorch_code_gives(variant):
    path = efficientnet_files.find(variant)
    if path is None:
        pytest.skip("needs the extra [pretrained]")
    torch = pytest.importorskip("torch")
    published = pytest.importorskip("efficientnet_lite_pytorch")
    # It pads as for pictures of one size: for these, all scales are even.
    theirs = published.EfficientNet.from_name(
        f"efficientnet-{variant}", image_size=224
    ).eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    arrays = pytorch_files.read_state(path)
    model = efficientnet_lite.efficientnet_lite(variant=variant)
    efficientnet_lite.set_folded(
        model, efficientnet_lite.fold(arrays, variant=variant)
    )
    for size in ((64, 64), (96, 160)):
        x = (
            np.random.default_rng(0)
            .normal(size=(2, *size, 3))
            .astype("float32")
        )
        every = _pytorch_maps(torch, theirs, x)
        blocks = efficientnet_lite.blocks(variant)
        expected = [every[i] for i in _ends(blocks)]
        for ours, right in zip(model(x), expected, strict=True):
            np.testing.assert_allclose(ours, right, atol=1e-4)


def _pytorch_maps(torch, network, x):
    with torch.no_grad():
        y = torch.from_numpy(x).permute(0, 3, 1, 2)
        y = network._swish(network._bn0(network._conv_stem(y)))
        found = []
        for block in network._blocks:
            y = block(y)
            found.append(y.permute(0, 2, 3, 1).numpy())
    return found
