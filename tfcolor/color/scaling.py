"""Network units: the only place where they exist.

A network of the SIGGRAPH family sees L' = (L - 50) / 100 and ab' = ab / 110; a
mask of 0 and 1 is shifted by its center. Networks that begin with one for
ImageNet see L / 100 as that one saw its channels. Everything else in tfcolor is
in CIELAB units.

Reference:
    R. Zhang et al., SIGGRAPH 2017; the released options `l_cent`, `l_norm`,
    `ab_norm`, `mask_cent`. O. Russakovsky et al., "ImageNet Large Scale Visual
    Recognition Challenge", 2015; its channel means and deviations are those of
    the published PyTorch weights.
"""

L_CENTER = 50.0
L_SCALE = 100.0
AB_SCALE = 110.0
# Networks trained in PyTorch subtract 0.5 from the mask; weights converted
# from the first Caffe release expect the mask as it is.
MASK_CENTER = 0.5

# Networks for ImageNet see each channel in 0..1, less its mean, over its
# deviation. For a grey picture: the means of the three published numbers.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
GREY_MEAN = sum(IMAGENET_MEAN) / 3
GREY_DEVIATION = sum(IMAGENET_DEVIATION) / 3

# EfficientNet-Lite sees encoded bytes: (byte - 127) / 128.
BYTE_CENTER = 127.0
BYTE_SCALE = 128.0

# The units of Melas-Kyriazi and Han's colorizer: (ab + 128) / 255.
AB_OFFSET = 128.0
AB_RANGE = 255.0
