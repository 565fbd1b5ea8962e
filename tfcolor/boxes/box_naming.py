"""How the files of a folder of boxes are named; known without NumPy.

`box_folder` reads and writes them. The name is the picture's path below the
folder that was searched, plus ".npz" (naming "path"); or, where
InstColorization shall find it, that path up to the first dot of the file name
(naming "stem").
"""

import os

BY_PATH = "path"
BY_STEM = "stem"
NAMINGS = (BY_PATH, BY_STEM)
EXTENSION = ".npz"


def file_name(picture: str, naming: str = BY_PATH) -> str:
    """Returns the name of the file with a picture's boxes.

    Args:
        picture: str. The picture's path below the folder that was searched.
        naming: str, one of `NAMINGS`.

    Returns:
        str, a relative path.
    """
    if naming == BY_PATH:
        return picture + EXTENSION
    folder, name = os.path.split(picture)
    return os.path.join(folder, name.split(".")[0] + EXTENSION)
