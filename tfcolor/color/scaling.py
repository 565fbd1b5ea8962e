"""Network units: the only place where they exist.

A network sees L' = (L - 50) / 100 and ab' = ab / 110; a mask of 0 and 1 is
shifted by its centre. Everything else in tfcolor is in CIELAB units.

Reference:
    R. Zhang et al., SIGGRAPH 2017; the released options `l_cent`, `l_norm`,
    `ab_norm`, `mask_cent`.
"""

L_CENTER = 50.0
L_SCALE = 100.0
AB_SCALE = 110.0
# Networks trained in PyTorch subtract 0.5 from the mask; weights converted
# from the first Caffe release expect the mask as it is.
MASK_CENTER = 0.5
