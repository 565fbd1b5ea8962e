import numpy as np
import pytest

from tests.inference.film import films
from tfcolor.inference.film import motion

SIDE = 64


def _squares(count, **options):
    return [
        motion.lightness_square(films.ramp(t, **options), SIDE)
        for t in range(count)
    ]


def _links(squares):
    finder = motion.Motion()
    return [None] + [
        finder.link(*pair) for pair in zip(squares, squares[1:], strict=False)
    ]


def test_flow_finds_how_a_film_pans_and_trusts_it():
    before, now = _squares(2, height=64)
    link = motion.Motion().link(before, now)
    middle = (slice(10, 54), slice(10, 50))
    # What is at x was at x + 2 before, and will be at x - 2.
    np.testing.assert_allclose(link.back[middle][..., 0].mean(), 2, atol=0.3)
    np.testing.assert_allclose(link.on[middle][..., 0].mean(), -2, atol=0.3)
    assert link.trust_back[middle].mean() > 0.8


def test_another_picture_is_a_cut_and_brighter_light_is_none():
    # Scenes as different as photographs are.
    a = _squares(1, base=1)[0]
    b = np.clip(_squares(1, base=2)[0].astype(int) + 70, 0, 255)
    assert motion.Motion().link(a, b.astype(np.uint8)) is None
    lighter = np.clip(a.astype(int) + 10, 0, 255).astype(np.uint8)
    assert motion.Motion().link(a, lighter) is not None


def test_noise_is_averaged_and_what_is_constant_stays():
    squares = _squares(20)
    links, rng = _links(squares), np.random.default_rng(0)
    own = [
        np.full((SIDE, SIDE, 2), (20, -10), np.float32)
        + rng.normal(0, 5, (SIDE, SIDE, 2)).astype(np.float32)
        for _ in squares
    ]
    smoother = motion.Smoother(0.9, block=6, ahead=3)
    found = []
    for ab, link in zip(own, links, strict=True):
        found += smoother.push(ab, link)
    found += smoother.flush()
    assert len(found) == len(own)
    inner = np.array([f[16:48, 8:40] for f in found[4:-4]])
    noise = (inner - (20, -10)).std()
    assert noise < 0.5 * 5
    np.testing.assert_allclose(
        np.mean(found, axis=(0, 1, 2)), (20, -10), atol=0.3
    )


def test_strength_0_is_frame_by_frame():
    own = [np.full((8, 8, 2), t, np.float32) for t in range(3)]
    smoother = motion.Smoother(0, block=1, ahead=0)
    found = [smoother.push(ab, None)[-1:] for ab in own]
    last = smoother.flush()
    flat = [ab for part in found for ab in part] + last
    np.testing.assert_array_equal(flat, own)


def test_nothing_crosses_a_cut():
    squares = _squares(6)
    links = _links(squares)
    links[3] = None
    own = [
        np.full((SIDE, SIDE, 2), 50 * (t >= 3), np.float32) for t in range(6)
    ]
    smoother = motion.Smoother(0.9)
    found = []
    for ab, link in zip(own, links, strict=True):
        found += smoother.push(ab, link)
    found += smoother.flush()
    np.testing.assert_allclose(found, own, atol=1e-4)


def test_who_resumes_gets_the_same():
    squares = _squares(15)
    links, rng = _links(squares), np.random.default_rng(1)
    own = rng.normal(0, 9, (15, SIDE, SIDE, 2)).astype(np.float32)

    def run(smoother, start):
        done, states = [], {}
        for ab, link in zip(own[start:], links[start:], strict=True):
            now = smoother.push(ab, link)
            done += now
            if now:
                states[start + len(done)] = smoother.state
        return done + smoother.flush(), states

    whole, states = run(motion.Smoother(0.8, block=4, ahead=2), 0)
    resumed = motion.Smoother(0.8, block=4, ahead=2)
    resumed.resume(states[8])
    rest, _ = run(resumed, 8)
    np.testing.assert_array_equal(rest, whole[8:])


def test_frames_that_no_network_sees_get_their_color_from_others():
    squares = _squares(8)
    links = _links(squares)
    ab = np.full((SIDE, SIDE, 2), (30, 5), np.float32)
    smoother = motion.Smoother(0.9)
    found = []
    for t, link in enumerate(links):
        found += smoother.push(ab if t % 4 == 0 else None, link, SIDE)
    found += smoother.flush()
    inner = np.array(found)[:, 12:52, 12:44]
    np.testing.assert_allclose(
        inner, np.broadcast_to((30, 5), inner.shape), atol=1
    )


def test_a_strength_out_of_range_is_refused():
    with pytest.raises(ValueError, match="below 1. Received: strength=1"):
        motion.Smoother(1.0)
