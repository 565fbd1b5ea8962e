from tfcolor.detection import coco_classes


def test_coco_has_80_classes_with_these_ids():
    names = coco_classes.NAMES
    assert len(names) == len(set(names.values())) == 80
    assert min(names) == 1 and max(names) == 90
    assert not {12, 26, 29, 30, 45, 66, 68, 69, 71, 83} & set(names)
    some = {1: "person", 13: "stop sign", 18: "dog", 44: "bottle", 65: "bed"}
    some |= {67: "dining table", 82: "refrigerator", 90: "toothbrush"}
    assert some.items() <= names.items()
