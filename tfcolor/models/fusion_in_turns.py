"""Instance-aware colorization whose memory does not grow with the boxes.

All 13 maps of an instance wait until the fusion network reaches them, and an
`instance_colorizer` holds those of all instances. Here a few boxes at a time
go through the instance network, and only what the blending needs of them is
kept (see `instance_fusion.Gathered`): as much as the maps of one instance, for
each picture with boxes. The result is the same up to rounding. For inference
only.

    some boxes --> crops --> instance --+ 13 maps
        ^                               v
        +-- until there are none -- 13 x gathered --+
                                                    v
                                   pictures --> fusion --> ab
"""

import keras
import tensorflow as tf

from tfcolor.layers import instance_fusion
from tfcolor.layers.instance_fusion import InstanceFusion
from tfcolor.models import architecture
from tfcolor.models import box_inputs
from tfcolor.models import fusion as fusion_lib
from tfcolor.models import siggraph_blocks


def with_turns(model: keras.Model, boxes_at_once: int) -> keras.Model:
    """Makes an instance colorizer through which boxes go in turns.

    Args:
        model: keras.Model, of `fusion.instance_colorizer`.
        boxes_at_once: int above 0. Boxes of a turn.

    Returns:
        keras.Model of the same inputs to `{"ab": float32 [B, H, W, 2]}`, for
        inference. All weights are shared, and `model` is left as it is.
    """
    networks = fusion_lib.networks_of(model)
    full = networks.pop("full")
    inputs = fusion_lib.colorizer_inputs(box_inputs.count_groups(model.input))
    in_turns = FusionInTurns(**networks, boxes_at_once=boxes_at_once)
    return fusion_lib.join(
        inputs, inputs.keys(), in_turns, full=full, name=model.name
    )


class FusionInTurns(keras.layers.Layer):
    """The instance and the fusion network over few boxes at a time.

    Args:
        instance: keras.Model, of `instance`.
        fusion: keras.Model, of `fusion`.
        boxes_at_once: int above 0. Boxes of a turn.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: dict of the inputs of `fusion.instance_colorizer`.

    Returns:
        float32 [B, H, W, 2], CIELAB.
    """

    def __init__(self, *, instance, fusion, boxes_at_once: int, **kwargs):
        # Boxes stay float32: float16 cannot tell pixels above 2048 apart.
        super().__init__(autocast=False, **kwargs)
        self.instance = instance
        self.fusion = fusion
        self.boxes_at_once = boxes_at_once
        self.built = True

    def call(self, inputs):
        """Returns the colors."""
        gathered = self._gather(inputs)
        valid = box_inputs.each_group(inputs, "box_valid")
        boxes = instance_fusion.count_boxes(valid)

        def blend(map_name, x):
            return instance_fusion.blend(
                gathered[map_name], self._blending(map_name), x, boxes=boxes
            )

        return fusion_lib.colors(
            _LayersOf(self.fusion),
            inputs,
            width=architecture.of(self.fusion).options["width"],
            blend=blend,
        )

    def _blending(self, map_name) -> InstanceFusion:
        return self.fusion.get_layer(fusion_lib.blending_name(map_name))

    def _gather(self, inputs) -> dict:
        """Returns what is to be kept of all boxes, for each map."""
        batch, height, width = tf.unstack(tf.shape(inputs["L"])[:3])
        gathered = {
            map_name: instance_fusion.nothing(
                batch * (height // factor) * (width // factor),
                self._channels(map_name),
            )
            for map_name, factor in siggraph_blocks.MAPS.items()
        }
        for group in range(box_inputs.count_groups(inputs)):
            gathered = self._gather_group(inputs, group, gathered)
        return gathered

    def _channels(self, map_name) -> int:
        return self.fusion.input[box_inputs.instances_key(map_name)].shape[-1]

    def _gather_group(self, inputs, group, gathered) -> dict:
        valid = inputs[box_inputs.numbered("box_valid", group)]
        crops = inputs[box_inputs.numbered("crops", group)]
        places = tf.where(valid)
        count = tf.shape(places)[0]

        def turn(first, gathered):
            now = places[first : first + self.boxes_at_once]
            chosen = tf.tensor_scatter_nd_update(
                tf.zeros_like(valid), now, tf.ones_like(now[:, 0], tf.bool)
            )
            added = self._add(
                gathered, inputs, tf.gather_nd(crops, now), chosen
            )
            return first + self.boxes_at_once, added

        shapes = {
            map_name: instance_fusion.shapes(self._channels(map_name))
            for map_name in gathered
        }
        # One turn after the other, or there would be no saving.
        _, gathered = tf.while_loop(
            lambda first, _: first < count,
            turn,
            (tf.constant(0), gathered),
            shape_invariants=(tf.TensorShape([]), shapes),
            parallel_iterations=1,
        )
        return gathered

    def _add(self, gathered, inputs, L, chosen) -> dict:
        """Adds what the instance network sees of the chosen boxes."""
        height, width = tf.unstack(tf.shape(inputs["L"])[1:3])
        maps = self.instance(siggraph_blocks.without_hints(L))
        placed, added = {}, {}
        for map_name, factor in siggraph_blocks.MAPS.items():
            # Maps of one size have their instances on the same cells.
            if factor not in placed:
                placed[factor] = instance_fusion.place_instances(
                    [maps[map_name]],
                    inputs["boxes"],
                    [chosen],
                    inputs["picture_size"],
                    grid=(height // factor, width // factor),
                )
            cells, sample = placed[factor]
            added[map_name] = instance_fusion.add(
                gathered[map_name],
                self._blending(map_name),
                maps[map_name],
                cells=cells,
                sample=sample,
            )
        return added

    def compute_output_spec(self, inputs):
        """Returns the shape and dtype of the colors."""
        return keras.KerasTensor((*inputs["L"].shape[:-1], 2), dtype="float32")


class _LayersOf(siggraph_blocks.Blocks):
    """The layers of a network that is there, to be called in another way."""

    def __init__(self, model):
        super().__init__(siggraph_blocks.INITIALIZERS[0])
        self._model = model

    def layer(self, kind, *, name, **options):
        """Returns the layer of that name."""
        del kind, options
        return self._model.get_layer(name)
