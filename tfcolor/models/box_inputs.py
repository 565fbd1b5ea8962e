"""The inputs of models that color boxes by themselves, and their names.

Boxes come in groups: crops of a group have one size. The inputs of the first
group are "box_valid", "crops" and "block1_instances", those of the second
"box_valid_2" and so on.
"""

import keras


def numbered(key: str, group: int) -> str:
    """Returns an input's name for a group of boxes: the first keeps its own.

    Args:
        key: str.
        group: int from 0.

    Returns:
        str.
    """
    return f"{key}_{group + 1}" if group else key


def instances_key(map_name: str, group: int = 0) -> str:
    """Returns the fusion network's input for a map of the instances.

    Args:
        map_name: str, one of `siggraph_blocks.MAPS`.
        group: int from 0, of the boxes.

    Returns:
        str.
    """
    return numbered(f"{map_name}_instances", group)


def box_inputs(groups: int) -> dict[str, keras.KerasTensor]:
    """Makes the inputs that say where boxes are.

    Args:
        groups: int, of boxes.

    Returns:
        dict of "boxes", "picture_size" and, for each group, "box_valid".
    """
    inputs = {
        "boxes": keras.Input((None, 4), name="boxes"),
        "picture_size": keras.Input((2,), dtype="int32", name="picture_size"),
    }
    for group in range(groups):
        key = numbered("box_valid", group)
        inputs[key] = keras.Input((None,), dtype="bool", name=key)
    return inputs


def box_class_inputs() -> dict[str, keras.KerasTensor]:
    """Makes the inputs that say where boxes are, and of which class.

    Returns:
        dict of "boxes", "box_classes" and "picture_size", in that order.
    """
    given = box_inputs(0)
    classes = keras.Input((None,), dtype="int32", name="box_classes")
    return {
        "boxes": given["boxes"],
        "box_classes": classes,
        "picture_size": given["picture_size"],
    }


def crop_inputs(groups: int) -> dict[str, keras.KerasTensor]:
    """Makes the inputs of what lies in boxes.

    Args:
        groups: int, of boxes.

    Returns:
        dict of "crops" for each group.
    """
    keys = [numbered("crops", group) for group in range(groups)]
    return {key: keras.Input((None, None, None, 1), name=key) for key in keys}


def count_groups(inputs) -> int:
    """Returns how many groups of boxes there are.

    Args:
        inputs: dict by the names of inputs.

    Returns:
        int.
    """
    return sum(key.startswith("box_valid") for key in inputs)


def each_group(inputs, key: str) -> list:
    """Returns an input of each group of boxes.

    Args:
        inputs: dict of tensors.
        key: str, its name in the first group.

    Returns:
        list of tensors.
    """
    groups = range(count_groups(inputs))
    return [inputs[numbered(key, group)] for group in groups]
