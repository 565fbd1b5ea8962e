"""State dicts as DDColor's checkpoints have them, with seeded weights.

Shapes are written down from the published code, not from ours.
"""

import numpy as np

from benchmarks import pytorch_ddcolor

DEPTHS = {"tiny": (3, 3, 9, 3), "large": (3, 3, 27, 3)}
_FILTERS = {"tiny": 96, "large": 192}
_ARCH, _DECODER = "encoder.arch", "decoder.color_decoder"
# Small networks: encoder, width, queries, blocks of the color decoder.
NARROW = {
    "tiny": {"width": 1 / 16, "queries": 10, "blocks": 4},
    "large": {"width": 1 / 32, "queries": 7, "blocks": 3},
}


def _affine(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _bn(name, count):
    running = {f"{name}.running_{s}": (count,) for s in ("mean", "var")}
    return _affine(name, count) | running | {f"{name}.num_batches_tracked": ()}


def _spectral(name, out, into, size, bias=False):
    shapes = {
        f"{name}.weight_orig": (out, into, size, size),
        f"{name}.weight_u": (out,),
        f"{name}.weight_v": (into * size * size,),
    }
    return shapes | ({f"{name}.bias": (out,)} if bias else {})


def _encoder(dims, depths):
    shapes, before = {}, 3
    for i, (dim, depth) in enumerate(zip(dims, depths, strict=True)):
        name = f"{_ARCH}.downsample_layers.{i}"
        conv, norm, side = (1, 0, 2) if i else (0, 1, 4)
        shapes |= _affine(f"{name}.{conv}", dim, before, side, side)
        shapes |= _affine(f"{name}.{norm}", before if i else dim)
        shapes |= _affine(f"{_ARCH}.norm{i}", dim)
        for j in range(depth):
            block = f"{_ARCH}.stages.{i}.{j}"
            shapes |= {f"{block}.gamma": (dim,)}
            shapes |= _affine(f"{block}.dwconv", dim, 1, 7, 7)
            shapes |= _affine(f"{block}.norm", dim)
            shapes |= _affine(f"{block}.pwconv1", 4 * dim, dim)
            shapes |= _affine(f"{block}.pwconv2", dim, 4 * dim)
        before = dim
    return shapes | _affine(f"{_ARCH}.norm", dims[-1])


def _attention(name, channels):
    return {
        f"{name}.in_proj_weight": (3 * channels, channels),
        f"{name}.in_proj_bias": (3 * channels,),
    } | _affine(f"{name}.out_proj", channels, channels)


def _transformer(pixels, channels, hidden, queries, blocks):
    shapes = {
        f"{_DECODER}.query_feat.weight": (queries, channels),
        f"{_DECODER}.query_embed.weight": (queries, channels),
        f"{_DECODER}.level_embed.weight": (3, channels),
    }
    for i, count in enumerate(pixels):
        name = f"{_DECODER}.input_proj.{i}"
        shapes |= _affine(name, channels, count, 1, 1)
    for i in range(blocks):
        for kind, inside in (("cross", "multihead"), ("self", "self")):
            name = f"{_DECODER}.transformer_{kind}_attention_layers.{i}"
            shapes |= _attention(f"{name}.{inside}_attn", channels)
            shapes |= _affine(f"{name}.norm", channels)
        name = f"{_DECODER}.transformer_ffn_layers.{i}"
        shapes |= _affine(f"{name}.linear1", hidden, channels)
        shapes |= _affine(f"{name}.linear2", channels, hidden)
        shapes |= _affine(f"{name}.norm", channels)
    shapes |= _affine(f"{_DECODER}.decoder_norm", channels)
    for i, out in enumerate((channels, channels, pixels[-1])):
        name = f"{_DECODER}.color_embed.layers.{i}"
        shapes |= _affine(name, out, channels)
    return shapes


def shapes(encoder, *, width, queries, blocks):
    """Keys and shapes of a checkpoint, without the ImageNet statistics."""
    dims = [round(_FILTERS[encoder] * width) * 2**i for i in range(4)]
    pixels = [round(count * width) for count in (512, 512, 256)]
    found = _encoder(dims, DEPTHS[encoder])
    before = dims[-1]
    for i, (skip, out) in enumerate(zip(dims[2::-1], pixels, strict=True)):
        name = f"decoder.layers.{i}"
        found |= _spectral(f"{name}.shuf.conv.0", 4 * out, before, 1)
        found |= _bn(f"{name}.shuf.conv.1", 4 * out)
        found |= _bn(f"{name}.bn", skip)
        found |= _spectral(f"{name}.conv.0", out, out + skip, 3)
        found |= _bn(f"{name}.conv.2", out)
        before = out
    last = pixels[-1]
    found |= _spectral("decoder.last_shuf.conv.0", 16 * last, last, 1, True)
    channels, hidden = round(256 * width), round(2048 * width)
    found |= _transformer(pixels, channels, hidden, queries, blocks)
    return found | _spectral("refine_net.0.0", 2, queries + 3, 1, True)


def state(encoder, seed, **options):
    """A checkpoint's state dict; a narrow one unless options say more."""
    options = NARROW[encoder] | options
    arrays = pytorch_ddcolor.random_state(shapes(encoder, **options), seed)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return arrays | {
        "mean": np.float32(mean).reshape(1, 3, 1, 1),
        "std": np.float32(std).reshape(1, 3, 1, 1),
    }
