"""Reasons in a form that the page can say in a person's language.

The library says why something failed in English sentences. Here a sentence
gets a code, the name of its kind, and the values in it. The texts for a code
are in the page's files of languages, as `reason CODE`.
"""

import functools
import re

# The sentences by their codes; of those that begin alike the longer first. A
# value `{reason}` is a sentence of its own.
PATTERNS = {
    # The studio's own.
    "photo_closed": "There is no such photo any more.",
    "many_photos": "At most {most} photos can be open at once.",
    "large_file": "A photo's file must have at most {one} MiB, and all "
    "together {all} MiB.",
    "large_body": "At most {most} bytes may be sent here.",
    "other_file": "A photo must be a picture file (JPEG, PNG, WebP, TIFF and "
    "so on). Received: {name}",
    "no_boxes": "The studio was started without --boxes.",
    "job_running": "A folder is being colored already.",
    "source_path": "The folder with photos must be a full path. "
    "Received: {path}",
    "output_path": "The folder for output must be a full path. "
    "Received: {path}",
    "no_source": "The folder with photos must exist. Received: {path}",
    "output_around": "The folder for output must be another one than that "
    "with photos, and not hold it. Received: {path}",
    "no_model": "`model` must be one of the page's models. Received: {name}",
    "wants_classes": "A model of the studio must not be class-conditional. "
    "Received: {path}",
    "broken": "Internal Server Error",
    # Memory and disks.
    "memory": "{where} ran out{wanted}. Try {what}",
    "picture_memory": "There is not enough memory for the picture.",
    "no_output": "The output folder {path} cannot be made: {reason}",
    "read_only_output": "The output folder {path} is read-only.",
    "with_path": "[Errno {number}] {reason}: {path}",
    "full_disk": "No space left on device",
    "not_allowed": "Permission denied",
    "read_only": "Read-only file system",
    "gone": "No such file or directory",
    "long_name": "File name too long",
    # Files of pictures.
    "empty": "The file is empty.",
    "no_picture": "The file is not a picture, or of a format that cannot be "
    "read.",
    "many_by_head": "A picture must have at most {most} pixels (`max_pixels`). "
    "Received: {received} pixels",
    "many_pixels": "A picture must have at most {most} pixels (`max_pixels`). "
    "Received: {received}",
    "many_bytes": "The file of a picture must have at most {most} bytes "
    "(`max_pixels`). Received: {received} bytes",
    "kind": "A picture must have 8 or 16 bits a channel, grey, RGB, palette "
    "or CMYK. Received: {received}",
    "regular": "A picture must be a regular file. Received: a pipe, a socket "
    "or a device",
    "cut_rows": "The picture is truncated: its data end before its last row.",
    "cut": "The picture is truncated.",
    "cut_by": "image file is truncated ({count} bytes not processed)",
    "cut_file": "image file is truncated",
    "cut_tiff": "The TIFF file is truncated.",
    "thumbnail_only": "The TIFF file is damaged or truncated: the page of its "
    "picture must be readable. Received: only a thumbnail or mask",
    "damaged_tiff": "The TIFF file is damaged or truncated.",
    "tiff_strips": "The TIFF file is damaged: {detail}",
    "no_page": "The TIFF file has no page.",
    "sub_page": "The picture of a TIFF must be a page of its own. Received: a "
    "thumbnail, and the picture in a sub-directory",
    "damaged_exif": "The EXIF data of the file are damaged: {detail}.",
    "damaged": "The file is damaged ({detail}).",
    "broken_stream": "broken data stream when reading image file",
    "other_stream": "unrecognized data stream contents when reading image file",
    "no_decoder": "could not create decoder object",
    "no_frame": "failed to read next frame",
    "not_encoded": "The picture could not be encoded for the screen.",
    # What there is to say of a picture that can be read.
    "frames": "it has {count} frames; the first one is taken, {rest} left out",
    "pages": "it has {count} pages; the first one is taken, {rest} left out",
    "pictures": "it has further pictures; the first one is taken",
    "unread_pages": "further pages cannot be read: the file is damaged",
    "no_end": "its JPEG data have no end marker; the picture is whole",
    "damaged_jpeg": "its JPEG data are damaged or cut: part of the picture is "
    "not in the file, and what is there instead was made up in decoding",
    "doubtful_jpeg": "its JPEG data hold bytes that belong to no part of the "
    "picture: it may be damaged",
    "all_hidden": "its alpha is left out: it hides all of the picture",
    "no_alpha": "its fourth channel is left out: by its head it is no alpha",
    "profile": "its ICC profile is ignored: {detail}",
    "gamma": "its gAMA is ignored: {detail}",
    "primaries": "its cHRM is ignored: {detail}",
    # Hints and boxes.
    "no_json": "it is not JSON ({detail}: line {line} column {column} "
    "(char {place}))",
    "no_utf8": "it is not JSON ('utf-8' codec can't decode {detail})",
    "nested_hints": "its lists or objects are nested too deep",
    "no_hints_object": "A hints file must hold a JSON object.",
    "other_hints": "A hints file must name pictures of this run, relative to "
    'the input folder, or hold "points". Received: {name}',
    "only_points": '"points" must be the only entry, and is for one picture; '
    "give the points of several by the pictures' names. Received: {received}",
    "no_points": "{name}: hints must be a list of points. Received: {received}",
    "no_point": '{where}: a point must have "x", "y" and "color", and may '
    'have "radius" and "frame". Received: {received}',
    "hint_color": "`color` of a hint must be a text like '#3b7dd8'. "
    "Received: color={received}",
    "hint_radius": "`radius` of a hint must be a number of pixels "
    "above 0. Received: radius={received}",
    "hint_frame": "`frame` of a hint must be a whole number, 0 or "
    "above. Received: frame={received}",
    "hint_place": "`{axis}` of a hint must be a number of pixels, 0 "
    "or above. Received: {received}",
    "hint_outside": "A hint must lie in its picture, which is {width} x "
    "{height} pixels. Received: x={x}, y={y}",
    "place_outside": "A place must lie in its photo, which is {width} x "
    "{height} pixels. Received: x={x}, y={y}",
    "no_hints_taken": "`hints` need a model that takes them. Received: hints "
    "for a model of lightness alone",
    "turned_boxes": "Boxes must be made for the upright picture, its EXIF "
    "orientation applied, of {width} x {height} pixels. Received: boxes for "
    "{received} pixels",
    "missing_boxes": "{path} must have one file of boxes for {name}. "
    "Received: {received}",
    "no_box_folder": "A folder of boxes must hold .npz files, as `tfcolor "
    "detect` writes them. Received: {path}",
    "no_detector": "A detector must be a SavedModel, a folder with "
    "saved_model.pb. Received: {path}",
    # Models.
    "missing_model": "A model must be a .keras file. Received: {path}, which "
    "does not exist",
    "folder_model": "A model must be a .keras file. Received: {path}, a folder",
    "pytorch_model": "A model must be a .keras file. Received: {path}, a "
    "PyTorch file: see `tfcolor import-weights`",
    "no_archive": "A model must be a Keras 3 .keras archive. Received: {path}",
    "unreadable_model": "A model file must hold a Keras model that can be "
    "read. Received: {path} ({detail})",
    "broken_cache": "A converted model must be a file as tfcolor wrote it. "
    "Received: {path} ({detail})",
    "other_model": "A colorization model must have the inputs {inputs}, and "
    "the output 'ab'. Received: {received}",
    "unknown_model": "A model must be a file, one that ships ({shipped}) or a "
    "published one ({published}). Received: {path}",
    # A folder that is colored.
    "no_pictures": "Every input must be a picture, a folder with pictures or "
    "a glob that finds some ({kinds}). Received: {path}",
    "same_output": "Every picture must have a file of its own, but {one} and "
    "{other} would both become {path}; give the folder that holds both (its "
    "structure is kept), or run them one after the other.",
    # Whatever names a place in a file, before one of the others.
    "in_file": "{where}: {reason}",
}


@functools.cache
def _expressions() -> dict[str, re.Pattern]:
    def expression(sentence: str) -> re.Pattern:
        parts = re.split(r"\{(\w+)\}", sentence)
        return re.compile(
            "".join(
                f"(?P<{part}>.*?)" if number % 2 else re.escape(part)
                for number, part in enumerate(parts)
            ),
            re.DOTALL,
        )

    return {code: expression(text) for code, text in PATTERNS.items()}


def coded(sentence: str) -> dict:
    """Finds the code of a reason or a note.

    Args:
        sentence: str, one line of the library.

    Returns:
        dict of "reason", the sentence; where it is known also of "code", str,
        and "values", dict of str, or of such a dict for a reason within it.
    """
    for code, expression in _expressions().items():
        found = expression.fullmatch(sentence)
        if not found:
            continue
        values = found.groupdict()
        if "reason" in values:
            values["reason"] = coded(values["reason"])
            if code == "in_file" and "code" not in values["reason"]:
                continue
        return {"reason": sentence, "code": code, "values": values}
    return {"reason": sentence}
