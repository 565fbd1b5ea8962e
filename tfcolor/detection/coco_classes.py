"""The names of COCO's 80 classes of things, by category id.

Reference:
    Lin et al., Microsoft COCO: common objects in context, ECCV 2014; the ids
    are those of the 2017 annotations, which leave out 10 of 90.
"""

_GROUPS = {
    1: "person",
    2: "bicycle car motorcycle airplane bus train truck boat",
    10: "traffic_light fire_hydrant",
    13: "stop_sign parking_meter bench bird cat dog horse sheep cow elephant "
    "bear zebra giraffe",
    27: "backpack umbrella",
    31: "handbag tie suitcase frisbee skis snowboard sports_ball kite "
    "baseball_bat baseball_glove skateboard surfboard tennis_racket bottle",
    46: "wine_glass cup fork knife spoon bowl banana apple sandwich orange "
    "broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed",
    67: "dining_table",
    70: "toilet",
    72: "tv laptop mouse remote keyboard cell_phone microwave oven toaster "
    "sink refrigerator",
    84: "book clock vase scissors teddy_bear hair_drier toothbrush",
}

# Ids are consecutive inside a group, which is named by its first.
NAMES = {
    first + i: name.replace("_", " ")
    for first, names in _GROUPS.items()
    for i, name in enumerate(names.split())
}
