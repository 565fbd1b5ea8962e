"""How pictures become training examples: the options."""

import dataclasses

# Of random hints, as released: patches of 1 to 9 pixels, centered on the middle
# of the picture.
MAX_PATCH_SIDE = 9
# Of 10,000 pictures two would have more hints (geometric, p = 1/8).
MAX_HINTS = 64


# That of most networks, `models.takes.SIZE_MULTIPLE`: they halve the size three
# times. Nothing here imports models.
SIZE_MULTIPLE = 8


def check_side(name: str, side: int) -> None:
    """Refuses sides of squares that no network of this family can take.

    Args:
        name: str, of the argument.
        side: int, pixels.

    Raises:
        ValueError: it is not a positive multiple of `SIZE_MULTIPLE`.
    """
    if side <= 0 or side % SIZE_MULTIPLE:
        raise ValueError(
            f"`{name}` must be a positive multiple of {SIZE_MULTIPLE}. "
            f"Received: {name}={side}"
        )


@dataclasses.dataclass(frozen=True)
class FullDataConfig:
    """How pictures become training examples of the full-picture network.

    Attributes:
        image_size: int. Side in pixels of the squares the network sees.
        load_size: int or None. Side of the squares pictures are resized to;
            random crops of `image_size` are cut from them. None: `image_size`,
            no cropping.
        batch_size: int. Pictures in a global batch.
        seed: int. Seed of order, crops, flips and hints.
        flip: bool. Mirrors half of the pictures.
        min_area: float in (0, 1]. Below 1, crops are parts of a picture of
            random size and shape, squashed to `image_size`: of at least this
            share of its area. 1 cuts crops of `image_size` as they are.
        aged_share: float in 0..1. Share of the pictures whose lightness, not
            their colors, is changed as age and scanners change it; see
            `age.age_of`. A fifth of them have the black or white border of
            a scan, which has no color.
        cache: bool. Keeps all resized pictures in memory.
        min_color_range: float, CIELAB. A picture whose range of a plus range
            of b is smaller is dropped: it has no color to learn or measure.
        hint_share: float in 0..1. Share of the pictures that get hints.
        hint_probability: float in (0, 1]. See `hints.random_hints`.
    """

    image_size: int = 256
    load_size: int | None = None
    batch_size: int = 16
    seed: int = 0
    flip: bool = False
    min_area: float = 1.0
    aged_share: float = 0.0
    cache: bool = False
    min_color_range: float = 10.0
    hint_share: float = 1.0
    hint_probability: float = 0.125

    def __post_init__(self):
        """Refuses sizes that no network of this family can take."""
        check_side("image_size", self.image_size)
        if self.load_side < self.image_size:
            raise ValueError(
                "`load_size` must be at least `image_size`. Received: "
                f"load_size={self.load_size}, image_size={self.image_size}"
            )
        if not 0 < self.min_area <= 1 or not 0 <= self.aged_share <= 1:
            raise ValueError(
                "`min_area` must be above 0 and at most 1, `aged_share` in "
                f"0..1. Received: min_area={self.min_area}, "
                f"aged_share={self.aged_share}"
            )
        if self.batch_size < 1:
            raise ValueError(
                "`batch_size` must be at least 1. "
                f"Received: batch_size={self.batch_size}"
            )

    @property
    def load_side(self) -> int:
        """Side in pixels of the squares pictures are resized to."""
        return self.load_size or self.image_size
