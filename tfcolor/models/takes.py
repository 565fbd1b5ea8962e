"""What a colorizer is given beside lightness; known without Keras."""

import dataclasses

# Of a network that halves the size three times.
SIZE_MULTIPLE = 8


@dataclasses.dataclass(frozen=True)
class Takes:
    """What a colorizer is given beside lightness.

    Attributes:
        hints: bool. Colors a user gave.
        boxes: bool. Boxes, and what lies in them.
        box_classes: bool. Boxes and their classes.
        classes: int. How many class probabilities of a picture; 0 is none.
        size_multiple: int; see `architecture.Architecture`.
        smallest_side: int; see `architecture.Architecture`.
    """

    hints: bool = False
    boxes: bool = False
    box_classes: bool = False
    classes: int = 0
    size_multiple: int = SIZE_MULTIPLE
    smallest_side: int = SIZE_MULTIPLE

    @property
    def boxed(self) -> bool:
        """Whether it does something with boxes, of either kind."""
        return self.boxes or self.box_classes

    @property
    def whole_pictures(self) -> bool:
        """Whether lightness and hints are all that it is given."""
        return not (self.boxed or self.classes)
