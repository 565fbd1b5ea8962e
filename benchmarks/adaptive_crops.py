"""Times crops as large as their boxes need against crops of one size.

    python -m benchmarks.adaptive_crops --model=runs/fusion/model.keras
    python -m benchmarks.adaptive_crops --images=photos --boxes=photos_boxes

Whole pictures through `Colorizer`, the sample pictures with their boxes unless
others are named. The time is that of all pictures with boxes; the PSNR is that
of each adaptive result against the result with crops of one size. Without
--model weights are random, and only the times mean something.
"""

import collections
import statistics

import tqdm
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import boxes as box_flags
from flags import data as data_flags
from flags import model as model_flags

_PICTURES = flags.DEFINE_integer(
    "pictures", 50, "At most so many pictures with boxes.", lower_bound=1
)
options.declare("width", "image_size", "repeats", "images", "boxes")
options.declare("model", "max_boxes")

_FIXED, _ADAPTIVE = "crops of one size", "adaptive crops"


def _load_pictures():
    """Returns pictures that have boxes, and the boxes."""
    from tfcolor.data import files
    from tfcolor.data import sample_pictures
    from tfcolor.inference import box_finder
    from tfcolor.pictures import decode

    images = data_flags.IMAGES.value
    paths = sample_pictures.paths()
    if images:
        paths = files.list_pictures(*images.split(","))
    find = box_finder.open_finder(
        box_flags.BOXES.value or sample_pictures.boxes_path(),
        max_boxes=box_flags.config().max_boxes,
        pictures=paths,
    )
    pictures, boxes = [], []
    for path in tqdm.tqdm(paths, unit="picture"):
        with open(path, "rb") as file:
            rgb = decode.decode_rgb(file.read())
        found = find(path, rgb).boxes
        if len(found):
            pictures.append(rgb)
            boxes.append(found)
        if len(pictures) == _PICTURES.value:
            break
    if not pictures:
        raise app.UsageError("None of the pictures has a box.")
    return pictures, boxes


def _build_model():
    from benchmarks import tfcolor_runs
    from tfcolor.models import fusion
    from tfcolor.weights import model_file

    if options.MODEL.value:
        return model_file.load(options.MODEL.value)[0]
    networks = tfcolor_runs.build(width=model_flags.options()["width"])
    return fusion.instance_colorizer(**networks)


def _sizes(colorizer, pictures, boxes):
    """Counts the crops of each size, largest first, as text."""
    from tfcolor.inference import adaptive_crops

    sizes = colorizer.crop_sizes
    counts = collections.Counter()
    for rgb, found in zip(pictures, boxes, strict=True):
        chosen = adaptive_crops.choose_sizes(
            found,
            sizes,
            height=rgb.shape[0],
            width=rgb.shape[1],
            image_size=colorizer.image_size,
        )
        counts.update(sizes[i] for i in chosen.numpy())
    return ", ".join(f"{counts[s]} of {s}" for s in reversed(sizes))


def _psnrs(pictures, others):
    """Computes the PSNR, dB, of each picture against another."""
    import tensorflow as tf

    from tfcolor.metrics import psnr

    return [
        float(psnr(*(tf.cast(x, tf.float32) / 255 for x in pair)))
        for pair in zip(pictures, others, strict=True)
    ]


def main(argv):
    """Runs the benchmark."""
    del argv
    from tfcolor import Colorizer

    pictures, boxes = _load_pictures()
    model = _build_model()
    size = data_flags.config().image_size
    colorizers = {
        _FIXED: Colorizer(model, image_size=size),
        _ADAPTIVE: Colorizer(model, image_size=size, crop_size="adaptive"),
    }

    def sides(colorizer):
        # One by one: each picture costs what it costs a person with one.
        return lambda: [
            colorizer.colorize(rgb, boxes=found)
            for rgb, found in zip(pictures, boxes, strict=True)
        ]

    runs = {name: sides(c) for name, c in colorizers.items()}
    psnrs = _psnrs(runs[_ADAPTIVE](), runs[_FIXED]())
    measuring.print_machine()
    seconds = measuring.seconds_in_turns(runs, repeats=options.REPEATS.value)
    measuring.print_table(
        ["side", "pictures", "crops", "s a picture", "over one size"]
        + ["mean PSNR, dB", "lowest PSNR, dB"],
        [
            [
                *(name, len(pictures), _sizes(colorizer, pictures, boxes)),
                statistics.median(seconds[name]) / len(pictures),
                measuring.ratio_over(seconds, name, _FIXED),
                *(
                    [statistics.fmean(psnrs), min(psnrs)]
                    if name == _ADAPTIVE
                    else [None, None]
                ),
            ]
            for name, colorizer in colorizers.items()
        ],
    )


if __name__ == "__main__":
    app.run(main)
