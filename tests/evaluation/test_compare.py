import numpy as np
import pytest
from skimage.color import rgb2lab

from tests.evaluation import synthetic
from tfcolor.boxes import picture_boxes
from tfcolor.evaluation import compare as compare_lib
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation.compare import TRUE
from tfcolor.evaluation.methods import Method
from tfcolor.evaluation.methods import list_truth

PERFECT = Method("perfect", lambda _, rgb: rgb)


def compare(*args, **options):
    """The Comparison, once the work is done."""
    return compare_lib.compare(*args, **options).finish()


@pytest.fixture
def folder(tmp_path):
    for seed in range(4):
        rgb = synthetic.picture(seed, 20 + seed, 30)
        synthetic.save(tmp_path / f"p{seed}.png", rgb)
    return tmp_path


def test_a_perfect_method_reaches_the_truth(folder):
    result = compare(list_truth(str(folder)), [PERFECT])
    assert list(result.values) == ["grey", "mean ab", "perfect"]
    assert result.methods() == ["perfect"]
    perfect = result.values["perfect"]
    assert (perfect["ab_rmse"] == 0).all()
    assert perfect["ssim"] == pytest.approx(np.ones(4))
    for metric in measure.COLORFULNESS:
        true = result.truth[metric.key]
        np.testing.assert_array_equal(perfect[metric.key], true)
    assert (result.gain("perfect") > 50).all()
    assert (result.gain("grey") == 0).all()
    assert result.sizes == [(30, 20), (30, 21), (30, 22), (30, 23)]
    assert result.failures == []


def test_both_baselines_keep_L_and_mean_ab_is_the_mean_of_the_means(folder):
    result = compare(list_truth(str(folder)), [PERFECT])
    for name in ("grey", "mean ab"):
        assert (result.values[name]["L_difference"] < 0.25).all()
    assert (result.values["grey"]["colorfulness_signed"] < 1).all()
    means = [
        rgb2lab(synthetic.picture(s, 20 + s, 30))[..., 1:].mean(axis=(0, 1))
        for s in range(4)
    ]
    rgb = synthetic.picture(2, 22, 30)
    painted = measure.constant_ab(rgb, np.mean(means, axis=0))
    expected = measure.measure(rgb, painted)["psnr"]
    assert result.values["mean ab"]["psnr"][2] == pytest.approx(
        expected, abs=0.01
    )


def test_numbers_follow_their_pictures_when_the_order_changes(folder):
    truth = list_truth(str(folder))
    first = compare(truth, [PERFECT])
    again = compare(truth[::-1], [PERFECT])
    assert again.pictures == first.pictures[::-1]
    for name, columns in first.values.items():
        for key, column in columns.items():
            np.testing.assert_allclose(
                again.values[name][key][::-1], column, rtol=1e-5
            )


def test_a_picture_that_fails_is_left_out_of_every_column(folder):
    (folder / "p1.png").write_bytes(b"nothing")

    def predict(picture, rgb):
        if picture.name == "p3.png":
            raise RuntimeError("too hard\nmuch detail")
        return rgb

    result = compare(list_truth(str(folder)), [PERFECT, Method("m", predict)])
    assert [p.name for p in result.pictures] == ["p0.png", "p2.png"]
    for columns in result.values.values():
        assert all(len(column) == 2 for column in columns.values())
    (broken, _), (hard, reason) = result.failures
    assert broken.endswith("p1.png")
    assert hard.endswith("p3.png")
    assert reason == "too hard much detail"
    # The mean ab is that of the two that went well.
    only = [
        p for p in list_truth(str(folder)) if p.name in ("p0.png", "p2.png")
    ]
    np.testing.assert_allclose(
        result.values["mean ab"]["psnr"],
        compare(only, [PERFECT]).values["mean ab"]["psnr"],
        rtol=1e-6,
    )


def test_a_prediction_of_another_shape_is_a_failure(folder):
    crop = Method("crop", lambda _, rgb: rgb[1:])
    result = compare(list_truth(str(folder)), [crop])
    assert result.pictures == []
    assert len(result.failures) == 4
    assert "one shape" in result.failures[0][1]


def test_the_geometry_is_applied_and_named(folder):
    shapes = []

    def predict(_, rgb):
        shapes.append(rgb.shape)
        return rgb

    result = compare(
        list_truth(str(folder)),
        [Method("m", predict)],
        geometry="squash",
        size=16,
    )
    assert shapes == [(16, 16, 3)] * 4
    assert result.sizes == [(16, 16)] * 4
    assert result.geometry == "squash to 16 x 16"


def test_pixels_are_counted_for_every_method_and_the_truth(folder):
    (folder / "p1.png").write_bytes(b"nothing")
    swapped = Method("swapped", lambda _, rgb: rgb[..., ::-1].copy())
    result = compare(list_truth(str(folder)), [swapped])
    assert set(result.values) == {"grey", "mean ab", "swapped"}
    rgb = synthetic.picture(2, 22, 30)
    predicted = {
        TRUE: rgb,
        "grey": measure.constant_ab(rgb, np.zeros(2)),
        "swapped": rgb[..., ::-1].copy(),
    }
    for name, picture in predicted.items():
        for key, expected in hue_shares.count(rgb, picture).items():
            assert result.counts(name)[key].shape == (2, 3)
            assert tuple(result.counts(name)[key][:, 1]) == expected
    pixels = [result.counts(n)["right"][1] for n in [TRUE, *result.values]]
    assert all((p == pixels[0]).all() for p in pixels)


def test_lpips_and_fid_are_columns_when_asked(folder):
    class BrightnessFid:
        """Two features a picture instead of 2048."""

        def __call__(self, rgb):
            return rgb.reshape(-1, 3).mean(axis=0)[:2]

        def distance(self, one, other):
            return float(np.abs(one - other).sum())

    result = compare(
        list_truth(str(folder)),
        [PERFECT],
        lpips=lambda one, other: float(np.abs(one - other * 1.0).mean()),
        fid=BrightnessFid(),
        efficientnet=BrightnessFid(),
    )
    assert result.metrics[-1] is measure.LPIPS
    assert (result.values["perfect"]["lpips"] == 0).all()
    assert (result.values["mean ab"]["lpips"] > 0).all()
    assert result.fid["perfect"] == 0
    assert result.fid["grey"] > 0
    assert result.fid["mean ab"] > 0
    assert result.efficientnet == result.fid
    alone = compare(
        list_truth(str(folder / "p0.png")), [PERFECT], fid=BrightnessFid()
    )
    assert np.isnan(alone.fid["perfect"])
    assert alone.efficientnet == {}


def test_pictures_to_show_and_progress_are_handed_out(folder):
    shown, told = [], []
    compare(
        list_truth(str(folder)),
        [PERFECT],
        save_picture=lambda picture, rgb: shown.append((picture.index, rgb)),
        on_picture=lambda *known: told.append(known),
    )
    assert [index for index, _ in shown] == [0, 1, 2, 3]
    assert set(shown[0][1]) == {"grey", "perfect", None}
    assert told == [
        (name, done, 4) for name in ("pictures", "mean ab") for done in range(5)
    ]


def test_outcomes_come_when_they_are_final_and_tell_why(folder):
    (folder / "p1.png").write_bytes(b"nothing")
    passes = []
    work = compare_lib.compare(
        list_truth(str(folder)),
        [PERFECT],
        on_picture=lambda name, *_: passes.append(name),
    )
    assert len(work) == 4 and work.result is None
    bad = next(work)
    assert bad.source == str(folder / "p1.png") and "not a pic" in bad.reason
    assert set(passes) == {"pictures"}
    assert [(o.name, o.reason) for o in work] == [
        (name, None) for name in ("p0.png", "p2.png", "p3.png")
    ]
    assert [p.name for p in work.result.pictures] == [
        *("p0.png", "p2.png", "p3.png")
    ]


@pytest.mark.parametrize("last", [("pictures", 2, 4), ("mean ab", 3, 4)])
def test_work_that_is_stopped_has_no_result(folder, last):
    told = []
    work = compare_lib.compare(
        list_truth(str(folder)),
        [PERFECT],
        on_picture=lambda *known: told.append(known),
        stop=lambda: told[-1] == last,
    )
    assert len(list(work)) == (3 if last[0] == "mean ab" else 0)
    assert told[-1] == last and work.result is None


def test_boxes_add_the_numbers_of_their_pixels(folder):
    def find_boxes(path, rgb):
        assert rgb.shape[1] == 30
        if path.endswith("p1.png"):
            return picture_boxes.none()
        return picture_boxes.make([[2, 3, 12, 13], [5, 5, 18, 20]])

    half = Method("half", lambda _, rgb: _blackened(rgb, slice(0, 2)))
    result = compare(
        list_truth(str(folder)), [PERFECT, half], find_boxes=find_boxes
    )
    inside = result.in_boxes
    assert [picture.name for picture in inside.pictures] == [
        *("p0.png", "p2.png", "p3.png")
    ]
    assert inside.methods() == ["perfect", "half"]
    # The rows that `half` spoils lie outside all boxes.
    for name in ("perfect", "half"):
        assert (inside.values[name]["ab_rmse"] == 0).all()
    assert (result.values["half"]["ab_rmse"] > 0).all()
    assert (inside.values["mean ab"]["ab_rmse"] > 0).all()
    assert inside.counts(TRUE) == {}
    rgb = synthetic.picture(2, 22, 30)
    chosen = np.zeros(rgb.shape[:2], bool)
    chosen[2:12, 3:13] = chosen[5:18, 5:20] = True
    expected = measure.colorfulness(rgb[chosen][:, None])
    for key, value in expected.items():
        assert inside.truth[key][1] == pytest.approx(value)


def test_without_boxes_there_is_nothing_inside_them(folder):
    assert compare(list_truth(str(folder)), [PERFECT]).in_boxes is None


def _blackened(rgb, rows):
    rgb = rgb.copy()
    rgb[rows] = 0
    return rgb


def test_methods_that_read_jpegs_are_named(folder):
    lossy = Method("jpegs", lambda _, rgb: rgb, lossy=True)
    result = compare(list_truth(str(folder), limit=1), [PERFECT, lossy])
    assert result.lossy == ("jpegs",)
