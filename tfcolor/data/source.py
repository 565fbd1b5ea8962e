"""What a source of pictures is.

Folders, shards, tensorflow-datasets and memory are sources, and so is what
gives another one's pictures boxes or labels; `epochs` makes batches of any.
"""

import typing

import tensorflow as tf

from tfcolor.data.drop_log import DropLog

LOW_COLOR = "nearly grey"


class Source(typing.Protocol):
    """Where pictures come from.

    Pictures that cannot be decoded are left out and noted in `drop_log`. Equal
    seeds give equal orders, on any machine.

    Attributes:
        drop_log: DropLog.
        paths: list of str, the names of the pictures, or None where they are
            not known unread.
        has_boxes: bool. Its examples say what boxes were found.
        labels: list of int, or None where they are not known unread.
        repeats: bool. `examples` takes a `count`, of pictures: as many passes
            as that takes, each in an order of its own.
    """

    drop_log: DropLog
    paths: list[str] | None = None
    has_boxes: bool = False
    labels: list[int] | None = None
    repeats: bool = False

    def __len__(self) -> int:
        """Returns how many pictures there are, those dropped later included."""

    def with_paths(self, paths) -> "Source":
        """Returns a source of some of the pictures, if it has `paths`."""

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures.

        Args:
            seed: int or None, of the order; None is the source's own order.
            context: tf.distribute.InputContext or None. The worker whose part
                it is; see `worker_share`.
            side: int or None. Pictures are squashed to squares of so many
                pixels, where they are not squares of memory; None leaves
                them as they are.

        Returns:
            Dataset of `{"rgb": uint8 [H, W, 3], "name": string []}`, and what
            else the source knows of a picture.
        """

    def colored(self, min_color_range: float) -> tuple["Source", float]:
        """Leaves out nearly grey pictures if that needs no decoding.

        What is left out later, one worker of a job does not know of the
        other's: their parts no longer make the batches of one.

        Args:
            min_color_range: float, CIELAB; 0 keeps every picture.

        Returns:
            The source of the others, and the range to be asked of each of them
            once it is decoded: 0 where it is known.
        """
        return self, min_color_range
