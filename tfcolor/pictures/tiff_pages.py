"""The pages of a TIFF file: which one is the picture, and of what kind.

Reference:
    TIFF 6.0, sections 2, 3 and 8; the BigTIFF design, libtiff 4.0.
"""

import dataclasses
import io
import mmap
import struct

from PIL import TiffImagePlugin

from tfcolor.pictures import pillow_limit

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_SUBFILE, _OLD_SUBFILE, _SUB_DIRECTORIES = 254, 255, 330
_SAMPLES, _PLANAR, _PREDICTOR, _EXTRA = 277, 284, 317, 338
_COLOR_MAP, _SAMPLE_FORMAT = 320, 339
_MAX_PAGES = 10000
_MAX_SAMPLES = 64
# Of a pixel, on average over the most pixels: those of CMYK with alpha. All
# samples are read, also those that are then left out.
_SAMPLES_A_PIXEL = 5
# Entries of one directory, and of all: a crafted file can have directories
# that lie in one another, and values that each are nearly the whole file.
_MAX_ENTRIES, _MAX_ALL_ENTRIES = 4096, 2**18
# Bytes of a value of each type.
_TYPE_BYTES = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
# What a page is that is not the picture itself: bits of NewSubfileType.
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_KINDS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr"}
_OTHER_KINDS = {
    4: "a transparency mask",
    8: "CIELAB pixels",
    9: "CIELAB pixels",
    10: "CIELAB pixels",
    32803: "raw pixels of a camera",
    34892: "raw pixels of a camera",
    32844: "LogL pixels",
    32845: "LogLuv pixels",
}
_COLOR_SAMPLES = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}
_JPEG_COMPRESSIONS = (6, 7)
_FAX_COMPRESSIONS = (2, 3, 4)
# What Pillow raises for directories that are damaged.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, SyntaxError),
    *(OverflowError, struct.error),
)
_DAMAGED = "The TIFF file is damaged or truncated."


@dataclasses.dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        offset: int. Bytes from the start of the file to its directory.
        tags: dict-like of its tags.
        order: str, "<" or ">". Byte order of the file.
        big: bool. Whether the file is a BigTIFF.
    """

    offset: int
    tags: TiffImagePlugin.ImageFileDirectory_v2
    order: str
    big: bool

    @property
    def bits(self) -> tuple[int, ...]:
        """Bits of each sample."""
        bits = _as_tuple(self.tags.get(_BITS, (1,)))
        return bits * self.samples if len(bits) == 1 else bits

    @property
    def samples(self) -> int:
        """Samples of a pixel, alpha and others included."""
        return self.tags.get(_SAMPLES, 1)

    @property
    def photometric(self) -> int:
        """What the samples mean; 0 and 1 grey, 2 RGB, 5 CMYK.

        Where a file does not say it, as libtiff: 0 is white in a fax.
        """
        if _PHOTOMETRIC in self.tags:
            return self.tags[_PHOTOMETRIC]
        if self.compression in _FAX_COMPRESSIONS:
            return 0
        return 2 if self.samples >= 3 else 1

    @property
    def colors(self) -> int:
        """Samples of a pixel's color."""
        return _COLOR_SAMPLES[self.photometric]

    @property
    def compression(self) -> int:
        """Number of the compression; 1 is none."""
        return self.tags.get(_COMPRESSION, 1)

    @property
    def planar(self) -> bool:
        """Whether each sample lies in a plane of its own."""
        return self.samples > 1 and self.tags.get(_PLANAR, 1) == 2

    @property
    def predictor(self) -> int:
        """1 for none, 2 for differences of neighbors."""
        return self.tags.get(_PREDICTOR, 1)

    @property
    def extra(self) -> tuple[int, ...] | None:
        """Meanings of samples after the color's; None if not given."""
        extra = self.tags.get(_EXTRA)
        return None if extra is None else _as_tuple(extra)

    @property
    def is_picture(self) -> bool:
        """Whether it is neither a thumbnail nor a mask of another page."""
        kind = self.tags.get(_SUBFILE, 0)
        old = self.tags.get(_OLD_SUBFILE, 1)
        return not kind & (_REDUCED | _MASK) and old != _OLD_REDUCED

    def problem(self) -> str | None:
        """Returns what cannot be read, as a few words, or None."""
        if self.samples > _MAX_SAMPLES:
            return f"{self.samples} channels"
        formats = set(_as_tuple(self.tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))))
        if self.photometric not in _KINDS:
            default = f"photometric interpretation {self.photometric}"
            return _OTHER_KINDS.get(self.photometric, default)
        if len(set(self.bits)) != 1 or len(self.bits) != self.samples:
            return f"{self.bits} bits a channel"
        bits = self.bits[0]
        if formats - {_UNSIGNED, _UNDEFINED}:
            what = {_SIGNED: "signed integer", _FLOAT: "floating point"}
            return f"{bits}-bit {what.get(max(formats), 'complex')} pixels"
        small = self.samples == 1 and self.photometric in (0, 1, 3)
        if bits not in ((1, 2, 4, 8, 12, 16) if small else (8, 16)):
            return f"{bits}-bit integer {_KINDS[self.photometric]} pixels"
        if self.samples < self.colors:
            return f"{_KINDS[self.photometric]} with {self.samples} channels"
        if self.compression not in TiffImagePlugin.COMPRESSION_INFO:
            return f"TIFF compression {self.compression}"
        jpeg = self.compression in _JPEG_COMPRESSIONS
        fax = self.compression in _FAX_COMPRESSIONS
        # Of others of few bits Pillow would make negatives.
        guessed = fax or (bits in (8, 16) and not jpeg)
        guessed = guessed and _COLOR_MAP not in self.tags
        if _PHOTOMETRIC not in self.tags and not guessed:
            return "no photometric interpretation"
        if self.planar and (jpeg or self.photometric not in (0, 1, 2, 5)):
            name = TiffImagePlugin.COMPRESSION_INFO[self.compression]
            kind = _KINDS[self.photometric]
            return f"{kind} in separate planes with compression {name}"
        return None

    @property
    def has_own_reader(self) -> bool:
        """Whether `tiff_samples` reads it, because Pillow or OpenCV do not.

        Pillow cuts 16-bit colors to 8 and does not know every mix of
        channels; OpenCV 5.0.0 mixes up the pixels of separate planes
        (opencv/opencv#29567) and knows no premultiplied alpha. Pillow takes
        the pixels of a file that does not say what they mean for negatives.
        """
        if self.photometric not in (0, 1, 2, 5) or self.bits[0] not in (8, 16):
            return False
        unsaid = _PHOTOMETRIC not in self.tags
        if self.bits[0] == 16 or self.planar or unsaid:
            return True
        prefix = {"<": b"II", ">": b"MM"}[self.order]
        formats = (_UNSIGNED,)
        fill_order = self.tags.get(266, 1)
        key = (
            prefix,
            self.photometric,
            formats,
            fill_order,
            self.bits,
            self.extra or (),
        )
        return key not in TiffImagePlugin.OPEN_INFO


def is_tiff(data: bytes) -> bool:
    """Tells from its first bytes whether a file is a TIFF."""
    return data[:4] in _MAGIC


def read_pages(data: bytes) -> tuple[list[Page], bool]:
    """Reads the directories of all pages.

    Args:
        data: bytes of a TIFF file, or a memory map of it.

    Returns:
        list of Page, at least one; and whether there are further ones that
        cannot be read.

    Raises:
        OSError: the first page cannot be read.
        ValueError: the file is a BigTIFF of a kind that is not supported.
    """
    order, big = ("<" if data[:2] == b"II" else ">"), 43 in data[2:4]
    if big and order == ">":
        # Pillow, which reads the directories, does not know them.
        raise ValueError(
            "A BigTIFF must be little-endian. Received: a big-endian one"
        )
    head = data[: 16 if big else 8]
    stream = data if isinstance(data, mmap.mmap) else io.BytesIO(data)
    pages, seen, entries, is_cut = [], set(), 0, False
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(head)
        offset = directory.next
        while offset and offset not in seen:
            seen.add(offset)
            entries += len(read_entries(data, offset, order, big=big))
            if len(pages) == _MAX_PAGES or entries > _MAX_ALL_ENTRIES:
                raise ValueError("too many pages")
            directory = TiffImagePlugin.ImageFileDirectory_v2(head)
            stream.seek(offset)
            directory.load(stream)
            page = Page(offset, directory, order, big)
            if min(directory[_WIDTH], directory[_HEIGHT]) < 1:
                raise ValueError("no pixels")
            pages.append(page)
            offset = directory.next
    except _DAMAGE as error:
        # What a damaged file has before the damage is still read.
        if not pages:
            raise OSError(_DAMAGED) from error
        is_cut = True
    if not pages:
        raise OSError("The TIFF file has no page.")
    return pages, is_cut


def read_entries(data, offset: int, order: str, *, big: bool = False) -> list:
    """Reads the heads of a directory's entries.

    Args:
        data: bytes, or a memory map of them.
        offset: int, where the directory begins.
        order: str, "<" or ">".
        big: bool. Whether it is one of a BigTIFF.

    Returns:
        list of (tag, type, count of values, the value or its place).

    Raises:
        ValueError: reading them all would take far more than the file's own
            size: there are too many, or values lie in one another.
        struct.error: it is cut off.
    """
    count_form, form = ("Q", "HHQQ") if big else ("H", "HHLL")
    (count,) = struct.unpack_from(order + count_form, data, offset)
    if count > _MAX_ENTRIES:
        raise ValueError(f"a directory of {count} entries")
    start = offset + struct.calcsize(order + count_form)
    size = struct.calcsize(order + form)
    entries = [
        struct.unpack_from(order + form, data, start + number * size)
        for number in range(count)
    ]
    total = sum(n * _TYPE_BYTES.get(kind, 0) for _, kind, n, _ in entries)
    if total > len(data) + 16 * count:
        raise ValueError("values that lie in one another")
    return entries


def choose(
    pages: list[Page], *, is_cut: bool = False
) -> tuple[Page, str | None]:
    """Chooses the page that is the picture.

    Args:
        pages: list of Page, in their order.
        is_cut: bool. Whether there are further ones that cannot be read.

    Returns:
        The first page that is no thumbnail or mask, or else the first; and a
        note that says how many other pictures there are, or None.

    Raises:
        OSError: all are thumbnails or masks, and the picture may be among
            those that cannot be read.
        ValueError: all are, and the picture lies in a sub-directory.
    """
    pictures = [page for page in pages if page.is_picture]
    if not pictures and is_cut:
        raise OSError(
            "The TIFF file is damaged or truncated: the page of its picture "
            "must be readable. Received: only a thumbnail or mask"
        )
    if not pictures and any(_SUB_DIRECTORIES in page.tags for page in pages):
        raise ValueError(
            "The picture of a TIFF must be a page of its own. "
            "Received: a thumbnail, and the picture in a sub-directory"
        )
    pictures = pictures or pages
    notes = []
    if len(pictures) > 1:
        notes.append(
            f"it has {len(pictures)} pages; the first one is taken, "
            f"{len(pictures) - 1} left out"
        )
    if is_cut:
        notes.append("further pages cannot be read: the file is damaged")
    return pictures[0], "; ".join(notes) or None


def check_size(page: Page, max_pixels: int) -> None:
    """Checks that the samples of a page take no more than a picture's may.

    Args:
        page: Page.
        max_pixels: int. The most pixels of a picture.

    Raises:
        ValueError: there are too many samples; too many pixels are left to
            who opens the picture.
    """
    width, height = page.tags[_WIDTH], page.tags[_HEIGHT]
    as_many = -(-width * height * page.samples // _SAMPLES_A_PIXEL)
    if as_many > max_pixels >= width * height:
        received = (
            f"{width} x {height} of {page.samples} channels, as much as "
            f"{as_many} pixels of {_SAMPLES_A_PIXEL} channels"
        )
        raise pillow_limit.too_large(max_pixels, received)


def with_first_page(data: bytes, page: Page) -> bytes:
    """Returns the file with another page as its first one.

    Args:
        data: bytes of a TIFF file.
        page: Page of it.

    Returns:
        bytes, `data` itself where the page is the first one already.
    """
    at, form = (8, "Q") if page.big else (4, "L")
    offset = struct.pack(page.order + form, page.offset)
    if data[at : at + len(offset)] == offset:
        return data
    return data[:at] + offset + data[at + len(offset) :]


def as_plain_grey(data: bytes, page: Page) -> bytes:
    """Returns the file with its first page said to be of 8-bit grey.

    Pillow then opens it and reads its metadata, whatever its pixels are; the
    pixels themselves are not to be read from it.

    Args:
        data: bytes of a TIFF file whose first page is `page`.
        page: Page.

    Returns:
        bytes.

    Raises:
        OSError: the directory is cut off.
    """
    head, entry = (8, 20) if page.big else (2, 12)
    count_form = page.order + ("Q" if page.big else "H")
    (count,) = struct.unpack_from(count_form, data, page.offset)
    if page.offset + head + count * entry > len(data):
        raise OSError(_DAMAGED)
    changed = bytearray(data)
    plain = {_BITS: 8, _PHOTOMETRIC: 1, _SAMPLES: 1, _COMPRESSION: 1}
    plain |= {_PLANAR: 1, _SAMPLE_FORMAT: 1, _PREDICTOR: 1}
    for number in range(count):
        at = page.offset + head + number * entry
        (tag,) = struct.unpack_from(page.order + "H", data, at)
        if tag == _EXTRA:
            # A private tag that nobody reads: no samples are extra now.
            struct.pack_into(page.order + "H", changed, at, 65000)
        elif tag in plain:
            form = "HQH" if page.big else "HLH"
            values = 3, 1, plain[tag]
            struct.pack_into(page.order + form, changed, at + 2, *values)
    return bytes(changed)


def _as_tuple(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)
