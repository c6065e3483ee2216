"""How alike two pictures look: SSIMULACRA 2 (its public description and constants: github.com/cloudinary/ssimulacra2).

100 is equality, 90 cannot be told apart when flickering between the two, 80 not side by side, 70 hardly.

Only elementwise arithmetic in float32, in an order of its own, and no linear algebra library: the score decides which
bytes are kept, and must not depend on the machine's vector units or number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

_SCALES = 6
# The metric's weights belong to six scales, of which the smallest needs 8 pixels.
_LEAST = 8 << (_SCALES - 1)
_TILE = 256  # pixels a side: what is worked on at once stays in the cache
_HALO = 5  # of the blur

# Linear light of an 8-bit sRGB value (IEC 61966-2-1).
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (n / 255 for n in range(256))], np.float32
)

# From linear RGB to the responses of the eye's cones, as in JPEG XL's XYB.
_BIAS = 0.0037930732552754493
_ABSORBANCE = (
    (0.30, 1 - 0.078 - 0.30, 0.078),
    (0.23, 1 - 0.078 - 0.23, 0.078),
    (0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821),
)

_C2 = 0.0009
# A line for each channel (X, Y, B) and scale: mean and 4-norm of structural loss, of artifacts, of lost detail, in
# the order of the published table: mean of each, then 4-norm of each.
_WEIGHTS = np.array([
    0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0,
    0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
    0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0,
    0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0,
    0.0007289346991508072, 0.9677937080626833, 0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
    0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0,
    0, 0, 0, 7.466890328078848, 0, 17.445833984131262,
    0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
    0, 0, 0, 34.77906344483772, 44.835625328877896, 0,
    0, 0, 0, 0, 0, 0,
    0, 0.0008680556573291698, 0, 0, 0, 0,
    0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0,
    0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0,
    0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0,
    95.1080498811086, 0.9863978034400682, 0.9834382792465353,
    0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
    0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537,
]).reshape(3, _SCALES, 2, 3)  # fmt: skip

# A weight below this moves no score by a hundredth. So of the largest scale, three quarters of the work, only
# brightness (Y) counts.
_WEIGHTS[_WEIGHTS < 0.01] = 0
_HEEDED = [tuple(int(n) for n in np.flatnonzero(_WEIGHTS[:, scale].any(axis=(1, 2)))) for scale in range(_SCALES)]


def likeness(one: Pixels, other: Pixels) -> float:
    """The score of `other` as a copy of `one`: 100 if equal, 80 if hardly to be told apart, below 0 if unlike.

    Both: height × width × 3 (sRGB) or × 4 (with alpha). Pictures with alpha are laid over a dark and a light ground,
    and the worse score counts. Values of another colour space are taken as if they were sRGB.

    Differs from the published program at the edges, which are mirrored there, where it continues with black and so
    hides what happens at them, and in pictures below 256 pixels a side, which are continued by mirror images: with
    fewer scales than six it would apply its weights to the wrong channels.
    """
    if one.shape != other.shape:
        raise ValueError(f"pictures of different sizes cannot be compared: {one.shape} and {other.shape}")
    if np.array_equal(one, other):
        return 100.0
    if one.shape[2] == 3:
        return _score(_planes(one, None), _planes(other, None))
    return min(_score(_planes(one, ground), _planes(other, ground)) for ground in (26, 230))


def _planes(pixels: Pixels, ground: int | None) -> Pixels:
    """Three planes, laid over a ground of that grey if it has alpha, and not too small."""
    planes = np.ascontiguousarray(pixels[:, :, :3].transpose(2, 0, 1))
    if ground is not None:
        alpha = pixels[:, :, 3].astype(np.uint32)
        planes = ((planes * alpha + ground * (255 - alpha) + 127) // 255).astype(np.uint8)
    low, narrow = (max(0, _LEAST - side) for side in planes.shape[1:])
    return np.pad(planes, ((0, 0), (0, low), (0, narrow)), "symmetric") if low or narrow else planes


def _score(one: Pixels, other: Pixels) -> float:
    first: tuple[Pixels | Plane, Pixels | Plane] = (one, other)
    total = 0.0
    for scale in range(_SCALES):
        losses, pair = _losses(*first, scale)
        total += float((losses * _WEIGHTS[:, scale]).sum())
        first = pair
    total *= 0.9562382616834844
    total = 2.326765642916932 * total - 0.020884521182843837 * total**2 + 6.248496625763138e-05 * total**3
    # Two decimals are what the float32 arithmetic bears.
    return round(100 - 10 * total**0.6276336467831387, 2) if total > 0 else 100.0


def _losses(one: Pixels | Plane, other: Pixels | Plane, scale: int) -> tuple[NDArray[np.float64], tuple[Plane, Plane]]:
    """Mean and 4-norm of the three kinds of loss for each channel (3 × 2 × 3), and both pictures at half the size.

    Zeros for a channel that does not count at this scale.
    """
    last = scale == _SCALES - 1
    _, height, width = one.shape
    sums = np.zeros((3, 2, 3))
    halves = tuple(np.empty((3, 0 if last else (height + 1) // 2, (width + 1) // 2), np.float32) for _ in "12")
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            pair = [_cut(picture, top, bottom, left, right) for picture in (one, other)]
            if not last:
                for half, cut in zip(halves, pair, strict=True):
                    half[:, top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2] = _halved(
                        cut[:, _HALO : _HALO + bottom - top, _HALO : _HALO + right - left]
                    )
            first, second = (_perceived(cut, _HEEDED[scale]) for cut in pair)
            for channel in _HEEDED[scale]:
                sums[channel] += _tile_losses(first[channel], second[channel])
    sums /= height * width
    sums[:, 1] **= 0.25
    return sums, (halves[0], halves[1])


def _cut(picture: Pixels | Plane, top: int, bottom: int, left: int, right: int) -> Plane:
    """A tile in linear light with the pixels around it, mirrored at the picture's edges."""
    _, height, width = picture.shape
    above, below = min(_HALO, top), min(_HALO, height - bottom)
    before, after = min(_HALO, left), min(_HALO, width - right)
    cut = picture[:, top - above : bottom + below, left - before : right + after]
    if cut.dtype == np.uint8:
        cut = _LINEAR[cut]
    missing = ((0, 0), (_HALO - above, _HALO - below), (_HALO - before, _HALO - after))
    return np.pad(cut, missing, "symmetric") if any(map(any, missing)) else np.ascontiguousarray(cut)


def _halved(linear: Plane) -> Plane:
    """Every 2 × 2 pixels as their mean; at an odd edge, of those that there are."""
    odd = (linear.shape[1] % 2, linear.shape[2] % 2)
    if any(odd):
        linear = np.pad(linear, ((0, 0), (0, odd[0]), (0, odd[1])), "edge")
    rows = linear[:, ::2] + linear[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)


def _perceived(linear: Plane, channels: tuple[int, ...]) -> dict[int, Plane]:
    """Some channels of XYB for linear RGB, scaled and shifted as the metric wants them: about 0 to 1."""
    long, middle = _response(linear, 0), _response(linear, 1)
    y = long + middle
    y *= np.float32(0.5)
    perceived = {}
    for channel in channels:
        if channel == 0:
            long -= middle
            long *= np.float32(0.5 * 14)
            long += np.float32(0.42)
            perceived[channel] = long
        elif channel == 1:
            perceived[channel] = y + np.float32(0.01)
        else:
            perceived[channel] = _response(linear, 2) - y + np.float32(0.55)
    return perceived


def _response(linear: Plane, cone: int) -> Plane:
    """Of one kind of cone in the eye, to each pixel."""
    red, green, blue = _ABSORBANCE[cone]
    response = linear[0] * np.float32(red)
    response += linear[1] * np.float32(green)
    response += linear[2] * np.float32(blue)
    response += np.float32(_BIAS)
    response = _cube_root(response)
    response -= np.float32(_BIAS ** (1 / 3))
    return response


def _cube_root(values: Plane) -> Plane:
    """By a third of the exponent and two steps of Halley's method; numpy's own differs between processors."""
    root = (values.view(np.int32) // np.int32(3) + np.int32(0x2A5137A0)).view(np.float32)
    twice = values + values
    for _ in range(2):
        cube = root * root
        cube *= root
        above = cube + twice
        cube += cube
        cube += values
        above /= cube
        root *= above
    return root


def _tile_losses(first: Plane, second: Plane) -> NDArray[np.float64]:
    """Sums over one channel of a tile, without its halo, of each loss and of its fourth power (2 × 3)."""
    sums = np.empty((2, 3))
    inside = (slice(_HALO, -_HALO), slice(_HALO, -_HALO))
    difference = first - second
    blurred = _blurred(first)[inside]
    shift = _blurred(difference)[inside]
    # Variances by what is left of mean squares; that of the difference is the part which is not common to both.
    difference *= difference
    apart = _blurred(difference)[inside]
    both = first * first
    both += second * second
    both = _blurred(both)[inside]
    square = shift * shift
    apart = apart - square
    moved = blurred - shift
    spread = both - blurred * blurred
    spread -= moved * moved
    spread += np.float32(_C2)
    apart /= spread
    # 1 - (1 - shift²)(1 - apart)
    loss = apart + square
    apart *= square
    loss -= apart
    np.maximum(loss, np.float32(0), out=loss)

    edges = np.abs(second[inside] - moved)
    edges += np.float32(1)
    before = np.abs(first[inside] - blurred)
    before += np.float32(1)
    edges /= before
    edges -= np.float32(1)
    for kind, losses in enumerate((loss, np.maximum(edges, np.float32(0)), np.maximum(-edges, np.float32(0)))):
        sums[0, kind] = losses.sum()
        losses *= losses
        losses *= losses
        sums[1, kind] = losses.sum()
    return sums


def _blurred(plane: Plane) -> Plane:
    """A Gaussian of σ 1.5 pixels: eight means of two neighbours (variance 2) and one of three (variance ¼).

    The outermost five pixels on each side of the result mean nothing.
    """
    width = plane.shape[1]
    flat = plane.ravel()
    for step in (width, 1):
        flat = flat[:-step] + flat[step:]
        for _ in range(7):
            np.add(flat[:-step], flat[step:], out=flat[:-step])
            flat = flat[:-step]
        sides = flat[: -2 * step] + flat[2 * step :]
        sides *= np.float32(0.125 / 256)
        flat = flat[step:-step] * np.float32(0.75 / 256)
        flat += sides
    whole = np.empty_like(plane)
    margin = _HALO * (width + 1)
    whole.ravel()[margin : margin + flat.size] = flat
    return whole
