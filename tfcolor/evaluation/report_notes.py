"""What the numbers of an evaluation are, in sentences."""

from tfcolor.evaluation import baselines
from tfcolor.evaluation import efficientnet_distance
from tfcolor.evaluation import fid
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import intervals
from tfcolor.evaluation.compare import Comparison


def notes(comparison: Comparison) -> list[str]:
    """Says in sentences what the numbers are, and what to beware of.

    Args:
        comparison: Comparison.

    Returns:
        list of str.
    """
    lines = [
        "Mean over pictures [95 % bootstrap interval, "
        f"{intervals.RESAMPLES} resamples]. Differences are paired.",
        f"{baselines.GREY}: ab = 0. {baselines.MEAN_AB}: one colour for all "
        "pictures, the mean ab of the true ones. Both keep L.",
        "PSNR over RGB at 8 bits; SSIM with a Gaussian window of 11 x 11, "
        "sigma 1.5; colourfulness after Hasler and Suesstrunk (2003): signed "
        "as published, absolute with |rg| and |yb|.",
    ]
    if comparison.counts:
        lines += _share_notes()
    colors = comparison.truth["colorfulness_absolute"]
    if grey := int((colors < 1).sum()):
        lines.append(
            f"{grey} of the true pictures are grey or nearly so: grey is "
            "right there, and no colour can gain. Read the median gain too."
        )
    if comparison.in_boxes is not None:
        lines.append(
            "Inside boxes: only pixels that lie in at least one box of their "
            "picture, over the pictures that have boxes; the mean ab is that "
            "of the whole pictures."
        )
    if comparison.fid:
        lines.append(
            "FID with Keras' Inception-v3: near, but not equal, to that of "
            "other programs."
        )
        if len(comparison.pictures) < fid.ENOUGH_PICTURES:
            lines.append(
                f"FID of fewer than {fid.ENOUGH_PICTURES} pictures is biased "
                "upwards; compare it only over the same pictures."
            )
    if comparison.efficientnet:
        lines.append(
            f"{efficientnet_distance.NAME}: squared difference of the means, "
            "plus that of the standard deviations, of "
            f"{efficientnet_distance.NUM_FEATURES} features of predicted and "
            f"of true pictures at {efficientnet_distance.SIDE} x "
            f"{efficientnet_distance.SIDE} pixels. It is not FID: compare it "
            "only with itself, over the same pictures."
        )
    return lines


def _share_notes() -> list[str]:
    hues = ", ".join(
        f"{key} {start:.0f} to {end:.0f}"
        for key, (start, end) in hue_shares.HUES.items()
    )
    low, high = hue_shares.BROWN
    return [
        "Right: of pixels whose true chroma is at least "
        f"{hue_shares.COLORED:.0f}, the share predicted within "
        f"{hue_shares.HUE_TOLERANCE:.0f} degrees of the true hue and with at "
        f"least {hue_shares.CHROMA_KEPT:g} times the true chroma, in CIELAB.",
        "Green, blue, red: the same of only those pixels whose true hue is in "
        f"a range of degrees: {hues}.",
        "Brown: of pixels predicted with a chroma of at least "
        f"{hue_shares.TINTED:.0f}, the share with a hue of {low:.0f} to "
        f"{high:.0f} degrees. More than the truth has is a sepia wash.",
        "These shares count pixels of copies with a longest side of "
        f"{hue_shares.SIDE} pixels, all pictures together; a dash stands "
        "where no pixel counts, and an interval only where enough pictures "
        "have such pixels.",
    ]
