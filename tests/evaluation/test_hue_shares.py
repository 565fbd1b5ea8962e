import pathlib

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2lch
from skimage.color import lab2rgb
from skimage.color import lch2lab
from skimage.color import rgb2lab

import tfcolor
from tests.evaluation import synthetic
from tfcolor.evaluation import hue_shares

SAMPLES = pathlib.Path(tfcolor.__file__).parent / "data" / "samples"


def _flat(chroma, hue, lightness=60, size=(96, 96)):
    """A picture of one color: uint8 array [*size, 3]."""
    lch = np.full((*size, 3), (lightness, chroma, np.radians(hue)))
    return np.rint(lab2rgb(lch2lab(lch)) * 255).astype(np.uint8)


def _oracle(true, predicted):
    """Hits and pixels of pictures four times as large as their copies."""
    (_, ct, ht), (_, cp, hp) = (
        np.moveaxis(lab2lch(rgb2lab(_quarter(rgb))), -1, 0)
        for rgb in (true, predicted)
    )
    ht, hp = np.degrees(ht), np.degrees(hp)
    cosine = np.cos(np.radians(ht - hp))
    right = (cosine >= np.cos(np.radians(30))) & (cp * 2 >= ct)
    found = {"right": (right & (ct >= 15), ct >= 15)}
    for key, low, high in (
        ("green", 100, 160),
        ("blue", 230, 300),
        ("red", 0, 45),
    ):
        among = (ct >= 15) & (low <= ht) & (ht < high)
        found[key] = right & among, among
    brown = (50 <= hp) & (hp <= 100)
    found["brown"] = brown & (cp >= 6), cp >= 6
    return {k: (h.sum(), n.sum()) for k, (h, n) in found.items()}


def _quarter(rgb):
    height, width = rgb.shape[0] // 4, rgb.shape[1] // 4
    mean = rgb.reshape(height, 4, width, 4, 3).mean(axis=(1, 3))
    return np.rint(mean).astype(np.uint8)


def _photos():
    """Photos of 384 pixels, and the same with other colors."""
    for i, path in enumerate(sorted(SAMPLES.glob("*.jpg"))):
        with Image.open(path) as picture:
            resized = picture.convert("RGB").resize((384, (256, 192)[i % 2]))
        true = np.asarray(resized)
        turned = lab2lch(rgb2lab(true))
        turned[..., 1] *= 0.35 + 0.2 * (i % 4)
        turned[..., 2] += np.radians(20 * (i % 3))
        predicted = lab2rgb(lch2lab(turned)) * 255
        yield true, np.rint(predicted).astype(np.uint8)


@pytest.mark.filterwarnings("ignore:.*negative Z values.*")
def test_shares_of_photos_are_those_of_skimage():
    pairs = list(_photos())
    counts = [hue_shares.count(*pair) for pair in pairs]
    expected = [_oracle(*pair) for pair in pairs]
    assert len(pairs) == 12
    for share in hue_shares.SHARES:
        hits, pixels = np.sum([c[share.key] for c in counts], axis=0)
        true_hits, true_pixels = np.sum([e[share.key] for e in expected], 0)
        assert 0 < hits < pixels
        # OpenCV's CIELAB is up to 0.5 off.
        assert pixels == pytest.approx(true_pixels, rel=0.01), share.key
        assert hits / pixels == pytest.approx(
            true_hits / true_pixels, abs=0.004
        ), share.key


# Chroma and hue of the true and the predicted color; the keys of hits, and
# of pixels that count without being hit.
@pytest.mark.parametrize(
    ("true", "predicted", "hit", "missed"),
    [
        ((40, 130), (40, 130), {"right", "green"}, {"brown"}),
        ((40, 130), (40, 105), {"right", "green"}, {"brown"}),
        ((40, 130), (40, 95), {"brown"}, {"right", "green"}),
        ((40, 130), (22, 130), {"right", "green"}, {"brown"}),
        ((40, 130), (18, 130), set(), {"right", "green", "brown"}),
        # The only hue of a pixel with little chroma counts for nothing.
        ((40, 130), (4, 130), set(), {"right", "green"}),
        ((13, 130), (13, 130), set(), {"brown"}),
        ((17, 130), (17, 130), {"right", "green"}, {"brown"}),
        # Too much chroma is not wrong.
        ((20, 75), (50, 75), {"right", "brown"}, set()),
        # The way around the circle is the shorter one.
        ((40, 10), (40, 345), {"right", "red"}, {"brown"}),
        ((40, 350), (40, 15), {"right"}, {"brown"}),
        ((35, 270), (35, 250), {"right", "blue"}, {"brown"}),
        ((35, 220), (35, 220), {"right"}, {"brown"}),
        ((35, 47), (35, 53), {"right", "brown"}, set()),
    ],
)
def test_colors_are_right_or_wrong_by_the_definition(
    true, predicted, hit, missed
):
    counts = hue_shares.count(_flat(*true), _flat(*predicted))
    every = 96 * 96
    assert {k for k, (h, n) in counts.items() if (h, n) == (every, every)} == (
        hit
    )
    assert {k for k, (h, n) in counts.items() if (h, n) == (0, every)} == missed
    others = {k for k, n in counts.items() if n == (0, 0)}
    assert others == {s.key for s in hue_shares.SHARES} - hit - missed


def test_areas_are_averaged_before_pixels_are_counted():
    # Red and its complement in every block of the copy make a grey.
    true = np.zeros((192, 192, 3), np.uint8)
    true[::2], true[1::2] = (200, 60, 60), (60, 200, 200)
    assert hue_shares.count(true, true)["right"] == (0, 0)


@pytest.mark.parametrize(
    ("shape", "small"),
    [
        ((256, 384), (64, 96)),
        ((384, 256), (96, 64)),
        ((1000, 3), (96, 1)),
        ((3, 1000), (1, 96)),
        ((200, 150), (96, 72)),
        ((96, 50), (96, 50)),
        # Pictures that are smaller weigh as much as others.
        ((10, 20), (48, 96)),
    ],
)
def test_the_longest_side_of_a_copy_is_96_pixels(shape, small):
    copy = hue_shares.small_copy(synthetic.picture(0, *shape))
    assert copy.shape == (*small, 3)
    assert copy.dtype == np.uint8


def test_a_picture_is_right_against_itself_and_grey_is_never():
    rgb = synthetic.picture(3)
    counts = hue_shares.count(rgb, rgb)
    for key in ("right", "green", "blue", "red"):
        assert counts[key][0] == counts[key][1]
    grey = np.repeat(rgb[..., :1], 3, axis=-1)
    counts = hue_shares.count(rgb, grey)
    assert counts["right"][0] == 0 < counts["right"][1]
    assert counts["brown"] == (0, 0)


def test_pictures_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="must have one shape. Received"):
        hue_shares.count(synthetic.picture(0), synthetic.picture(0, 9, 9))


def test_shares_of_pictures_are_pooled_pixel_by_pixel():
    hits = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    pixels = np.array([[1.0, 0.0, 9.0], [0.0, 0.0, 0.0]])
    shares = hue_shares.pooled(hits, pixels)
    assert shares[0] == 0.4
    assert np.isnan(shares[1])
    difference = hue_shares.pooled_difference(hits, pixels, hits / 2, pixels)
    assert difference[0] == pytest.approx(0.2)
