"""Colors that go along with what moves, and end where a scene ends.

A network that colors frame by frame changes its mind from one to the next. What
it said of the same thing in the frames around is averaged here: colors are
carried along dense optical flow, as far as lightness agrees and the flow there
and back does too, forward and backward in time, and never over a cut.

All maps are squares at the size that the network sees: float32 [S, S] or
[S, S, C]; a picture is squashed to them, and flow is in their pixels.
"""

import collections
import dataclasses

import cv2
import numpy as np

# L units: lightness that differs by so much is hardly the same thing.
_SAME_L = 6.0
# Pixels between a place and where flow there and back leads to.
_SAME_PLACE = 1.0
# A cut: how much of the histogram of L differs, and how badly the flow fits.
_CUT_HISTOGRAM, _CUT_RESIDUAL, _CUT_ALONE = 0.15, 6.0, 12.0
# Flow that fits badly and is hardly trusted anywhere has failed: a cut between
# scenes that are as dark as each other.
_CUT_TRUST = 0.2
_BINS = 32
# Flow is looked for in squares of this side at most.
_FLOW_SIDE = 256


@dataclasses.dataclass(frozen=True)
class Link:
    """How a frame goes on from the one before.

    Attributes:
        back: float32 array [S, S, 2], x and y. From each place of this frame
            to where that was in the frame before.
        on: float32 array [S, S, 2]. From each place of the frame before to
            where that is in this frame.
        trust_back: float32 array [S, S], 0..1: whether `back` leads to the
            same thing.
        trust_on: float32 array [S, S], the same of `on`.
    """

    back: np.ndarray
    on: np.ndarray
    trust_back: np.ndarray
    trust_on: np.ndarray


class Motion:
    """Finds how frames go on from each other."""

    def __init__(self):
        self._flow = cv2.DISOpticalFlow.create(
            cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
        )

    def link(self, before: np.ndarray, now: np.ndarray) -> Link | None:
        """Compares two successive frames.

        Args:
            before: uint8 array [S, S], lightness: L * 2.55.
            now: uint8 array [S, S], of the next frame.

        Returns:
            Link, or None if a cut lies between them.
        """
        side = now.shape[0]
        small = [before, now]
        if side > _FLOW_SIDE:
            small = [
                cv2.resize(
                    L, (_FLOW_SIDE, _FLOW_SIDE), interpolation=cv2.INTER_AREA
                )
                for L in small
            ]
        changed = _histogram_change(*small)
        flows = [
            self._flow.calc(small[1], small[0], None),
            self._flow.calc(small[0], small[1], None),
        ]
        residual = _residual(small[0], small[1], flows[0])
        trusts = [
            _trust(small[0], small[1], flows[0], flows[1]),
            _trust(small[1], small[0], flows[1], flows[0]),
        ]
        unlike = changed > _CUT_HISTOGRAM or trusts[0].mean() < _CUT_TRUST
        if residual > _CUT_ALONE or (unlike and residual > _CUT_RESIDUAL):
            return None
        if side > _FLOW_SIDE:
            scale = side / _FLOW_SIDE
            flows = [cv2.resize(f, (side, side)) * scale for f in flows]
            trusts = [cv2.resize(t, (side, side)) for t in trusts]
        return Link(flows[0], flows[1], trusts[0], trusts[1])


def warp(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Fetches values from where a flow leads to.

    Args:
        values: array [S, S] or [S, S, C].
        flow: float32 array [S, S, 2], x and y in pixels.

    Returns:
        array like `values`; the border goes on beyond the frame.
    """
    x, y = _places(flow)
    return cv2.remap(
        values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _places(flow) -> tuple[np.ndarray, np.ndarray]:
    """Where a flow leads to: x and y, float32 [S, S] each."""
    grid = np.arange(flow.shape[0], dtype=np.float32)
    return flow[..., 0] + grid, flow[..., 1] + grid[:, np.newaxis]


def _histogram_change(before, now) -> float:
    """The share of pixels that would have to change their lightness: 0..1."""
    counts = [
        cv2.calcHist([L], [0], None, [_BINS], [0, 256]).ravel() / L.size
        for L in (before, now)
    ]
    # Brighter by a bin is no change: light flickers in old films.
    totals = np.cumsum(counts, axis=1)
    return float(abs(totals[0] - totals[1]).max())


def _residual(before, now, back) -> float:
    """How much lightness differs along the flow: mean of |dL|, L units."""
    moved = warp(before, back).astype(np.float32)
    difference = moved - now
    # Exposure that changes is no cut.
    return float(abs(difference - np.median(difference)).mean() / 2.55)


def _trust(target, start, flow, reverse) -> np.ndarray:
    """Whether `flow` leads from `start` to the same thing in `target`."""
    moved = warp(target, flow).astype(np.float32)
    away = (moved - start) / (2.55 * _SAME_L)
    there_and_back = flow + warp(reverse, flow)
    place = (there_and_back**2).sum(axis=-1) / _SAME_PLACE**2
    trust = np.exp(-(away**2) - place / 2)
    (x, y), last = _places(flow), flow.shape[0] - 1
    inside = (x >= 0) & (y >= 0) & (x <= last) & (y <= last)
    return (trust * inside).astype(np.float32)


@dataclasses.dataclass
class _Frame:
    """A frame whose color is not decided yet.

    Attributes:
        own: float32 array [S, S, 3]: the network's ab and how much it counts.
        forward: float32 array [S, S, 3]: the sum over this frame and those
            before it, and its weight.
        link: Link or None: to the frame before; None begins a scene.
    """

    own: np.ndarray
    forward: np.ndarray
    link: Link | None


class Smoother:
    """Averages colors along motion, over a scene's frames around each one.

    A frame that is k frames away counts strength^k, times the trust in the
    motion between. Formula, for frames before and alike for those after:
        sum(t) = own(t) + strength * trust(t) * warped sum(t - 1)

    Args:
        strength: float in 0..1 (exclusive): 0 leaves each frame as it is.
        block: int. Frames that are decided at once.
        ahead: int. Frames after these that are looked at.
    """

    def __init__(self, strength: float, *, block: int = 24, ahead: int = 12):
        if not 0 <= strength < 1:
            raise ValueError(
                "`strength` must be at least 0 and below 1. "
                f"Received: strength={strength}"
            )
        self._strength = strength
        self._block, self._ahead = block, ahead
        self._waiting = collections.deque()
        # The sum up to the last frame that was decided.
        self._before = None

    @property
    def state(self) -> np.ndarray | None:
        """What the next frame goes on from; see `resume`."""
        return self._before

    def resume(self, state: np.ndarray | None) -> None:
        """Goes on after the frame at which another one had this `state`."""
        self._before = state

    def push(
        self, ab: np.ndarray | None, link: Link | None, side: int | None = None
    ) -> list[np.ndarray]:
        """Takes the next frame.

        Args:
            ab: float32 array [S, S, 2], CIELAB, or None for a frame that gets
                its color from those around alone.
            link: Link to the frame before, or None: a scene begins.
            side: int, S; needed where `ab` is None.

        Returns:
            list of float32 arrays [S, S, 2]: the colors of the frames, in
            order, that are decided now.
        """
        decided = self.flush() if link is None else []
        if ab is None:
            own = np.zeros((side, side, 3), np.float32)
        else:
            own = np.dstack([ab, np.ones(ab.shape[:2], np.float32)])
        forward = own
        last = self._waiting[-1].forward if self._waiting else self._before
        if link is not None and last is not None and self._strength:
            trust = self._strength * link.trust_back[..., np.newaxis]
            forward = own + trust * warp(last, link.back)
        self._waiting.append(_Frame(own, forward, link))
        if len(self._waiting) == self._block + self._ahead:
            decided += self._decide(self._block)
        return decided

    def flush(self) -> list[np.ndarray]:
        """Decides all frames that wait: a scene or the film has ended."""
        decided = self._decide(len(self._waiting))
        self._before = None
        return decided

    def _decide(self, count: int) -> list[np.ndarray]:
        """Averages over both directions for the first frames that wait."""
        backward, results = None, []
        frames = list(self._waiting)
        for i in range(len(frames) - 1, -1, -1):
            frame = frames[i]
            total = frame.own
            if backward is not None and self._strength:
                link = frames[i + 1].link
                trust = self._strength * link.trust_on[..., np.newaxis]
                total = frame.own + trust * warp(backward, link.on)
            backward = total
            if i < count:
                both = frame.forward + total - frame.own
                weight = np.maximum(both[..., 2:], 1e-6)
                results.append(both[..., :2] / weight)
        for _ in range(count):
            self._before = self._waiting.popleft().forward
        return results[::-1]


def lightness_square(rgb: np.ndarray, side: int) -> np.ndarray:
    """Returns what motion is looked for in.

    Args:
        rgb: uint8 or uint16 array [H, W, 3].
        side: int, pixels.

    Returns:
        uint8 array [side, side], L * 2.55 of the picture squashed to a square.
    """
    if rgb.dtype == np.uint16:
        rgb = (rgb >> 8).astype(np.uint8)
    small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2Lab)[..., 0]
