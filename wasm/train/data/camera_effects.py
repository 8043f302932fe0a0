"""A plate as a camera sees it: perspective, light, blur, noise, JPEG. Grey pictures, float32 0..255 unless noted."""
import cv2
import numpy as np


def homography(src, dst):
    return cv2.getPerspectiveTransform(np.float32(src), np.float32(dst))


def project(m, points):
    """Map points [n, 2] by a 3x3 homography."""
    p = np.concatenate([np.float64(points), np.ones((len(points), 1))], 1) @ m.T
    return p[:, :2] / p[:, 2:]


def random_quad(rng, w, h, tilt=1.0):
    """Corners of a plate of about w x h pixels about the origin: rotation, shear, perspective, stretch."""
    h = h * np.exp(rng.normal(0, 0.08))
    quad = np.float64([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
    quad[:, 1] += quad[:, 0] * np.tan(
        np.radians(rng.normal(0, 3) * tilt)
    )  # seen from the side: verticals are unchanged
    if rng.random() < 0.4:
        yaw = rng.normal(0, 0.12) * tilt
        quad[:, 1] *= 1 + yaw * quad[:, 0] / w
        quad[:, 0] *= np.cos(np.radians(rng.normal(0, 25) * tilt))
    quad[:, 0] += quad[:, 1] * rng.normal(0, 0.05) * tilt
    a = np.radians(rng.normal(0, 3.0) * tilt)
    quad = quad @ np.float64([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return quad + rng.normal(0, 0.012, (4, 2)) * h * tilt


def shrink_for(image, factor):
    """Shrink by area when a warp would skip pixels; returns (image, scale actually used)."""
    if factor >= 0.8:
        return image, 1.0
    k = min(1.0, factor * 1.3)
    return (
        cv2.resize(
            image, (max(2, round(image.shape[1] * k)), max(2, round(image.shape[0] * k))), interpolation=cv2.INTER_AREA
        ),
        k,
    )


RAMP = np.arange(256, dtype=np.float32)


def curve(image, table):
    """Map a grey picture (uint8, or float in 0..255) by a table of 256 tones; returns float32."""
    if image.dtype != np.uint8:
        image = np.clip(image, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.astype(np.float32))


def relight(rng, plate):
    """The tones of another camera: gain, gamma, low contrast, inverted ink (infra-red)."""
    p = RAMP
    if rng.random() < 0.06:
        p = 255 - p
    if rng.random() < 0.5:
        p = 255 * (p / 255) ** np.exp(rng.normal(0, 0.4))
    low, high = 20 * rng.random(), 255 - 60 * rng.random()
    if rng.random() < 0.35:
        middle, half = rng.uniform(40, 210), rng.uniform(25, 80)
        low, high = max(0, middle - half), min(255, middle + half)
    return curve(plate, low + p * ((high - low) / 255))


def shade(rng, patch):
    """Uneven light: a gradient, the edge of a shadow, a glare spot."""
    h, w = patch.shape
    if rng.random() < 0.4:
        a = rng.uniform(0, 2 * np.pi)
        ramp = (
            np.cos(a) * np.linspace(-1, 1, w, dtype=np.float32)[None]
            + np.sin(a) * np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        )
        patch = patch * (1 + rng.uniform(0, 0.4) * ramp)
    if rng.random() < 0.15:
        a, b = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        ramp = (
            np.cos(a) * np.linspace(-1, 1, w, dtype=np.float32)[None]
            + np.sin(a) * np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        )
        edge = 1 / (1 + np.exp(-np.clip((ramp - b) * rng.uniform(5, 40), -30, 30)))
        patch = patch * (1 - rng.uniform(0.2, 0.6) * edge)
    if rng.random() < 0.08:
        cx, cy, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0.05, 0.3) * w
        d = (
            (np.arange(w, dtype=np.float32) - cx)[None] ** 2 + (np.arange(h, dtype=np.float32) - cy)[:, None] ** 2
        ) / r**2
        patch = patch + rng.uniform(40, 200) * np.exp(-d)
    return patch


def dirt(rng, plate):
    """Specks and smears on the plate itself."""
    for _ in range(int(rng.integers(1, 5))):
        h, w = plate.shape
        centre = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
        axes = (int(rng.uniform(1, 0.06 * w)) + 1, int(rng.uniform(1, 0.12 * h)) + 1)
        tone = float(rng.uniform(0, 255))
        layer = plate.copy()
        cv2.ellipse(layer, centre, axes, float(rng.uniform(0, 180)), 0, 360, tone, -1)
        plate = plate + (layer - plate) * rng.uniform(0.2, 0.8)
    return plate


def motion_kernel(length, angle):
    n = int(length) | 1
    k = np.zeros((n, n), np.float32)
    c = (n - 1) / 2
    dx, dy = np.cos(angle) * (length - 1) / 2, np.sin(angle) * (length - 1) / 2
    cv2.line(
        k,
        (int(round((c - dx) * 16)), int(round((c - dy) * 16))),
        (int(round((c + dx) * 16)), int(round((c + dy) * 16))),
        1.0,
        1,
        cv2.LINE_AA,
        4,
    )
    return k / max(k.sum(), 1e-6)


def optics(rng, patch, hardness=1.0):
    """Blur, motion, noise, JPEG; returns uint8. `hardness` 0..1 scales the degradation."""
    if rng.random() < 0.7:
        sigma = abs(rng.normal(0, 0.8)) * hardness
        if sigma > 0.25:
            patch = cv2.GaussianBlur(patch, (0, 0), sigma)
    if rng.random() < 0.15 * hardness:
        patch = cv2.filter2D(
            patch, -1, motion_kernel(rng.uniform(2, 7), rng.normal(0, 0.4)), borderType=cv2.BORDER_REPLICATE
        )
    if rng.random() < 0.12:  # halos of sharpening cameras
        patch = patch + (patch - cv2.GaussianBlur(patch, (0, 0), 1.2)) * rng.uniform(0.3, 1.5)
    if rng.random() < 0.6:
        noise = np.empty(patch.shape, np.float32)
        cv2.randn(noise, 0, min(abs(rng.normal(0, 6)) * hardness + 0.5, 0.3 * float(patch.std()) + 0.5))
        if rng.random() < 0.3:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2
        patch = patch + noise
    patch = np.clip(patch, 0, 255).astype(np.uint8)
    if rng.random() < 0.45:
        quality = int(rng.uniform(25 if rng.random() < 0.3 * hardness else 50, 95))
        patch = cv2.imdecode(cv2.imencode(".jpg", patch, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    return patch


def paste(patch, plate, alpha, corners, quad, shadow=0.0):
    """Warp `plate` (float32, with `alpha` uint8) so that its `corners` fall on `quad` of `patch`;
    returns a new patch."""
    factor = np.linalg.norm(quad[1] - quad[0]) / max(1.0, np.linalg.norm(corners[1] - corners[0]))
    small, k = shrink_for(plate, factor)
    small_alpha = alpha if k == 1 else cv2.resize(alpha, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    scale = np.float64([small.shape[1] / plate.shape[1], small.shape[0] / plate.shape[0]])
    m = homography(corners * scale, quad)
    size = (patch.shape[1], patch.shape[0])
    both = cv2.warpPerspective(
        np.dstack([np.clip(small, 0, 255).astype(np.uint8), small_alpha]), m, size, flags=cv2.INTER_LINEAR
    )
    a = both[:, :, 1].astype(np.float32) * (1 / 255)
    p = both[:, :, 0].astype(np.float32)
    if shadow:
        s = cv2.GaussianBlur(a, (0, 0), max(1.0, 0.03 * np.linalg.norm(quad[1] - quad[0])))
        patch = patch * (1 - shadow * s)
    return patch + (p - patch) * a


def grow(quad, left, top, right, bottom):
    """Quad grown by fractions of its width (left, right) and height (top, bottom)."""
    q = np.float64(quad)
    x, y = ((q[1] - q[0]) + (q[2] - q[3])) / 2, ((q[3] - q[0]) + (q[2] - q[1])) / 2
    return np.stack(
        [
            q[0] - x * left - y * top,
            q[1] + x * right - y * top,
            q[2] + x * right + y * bottom,
            q[3] - x * left + y * bottom,
        ]
    )


def rectify(patch, quad, w, h):
    """Quad of `patch` -> [h, w]; pixel centres at +0.5, edges repeated. Also returns the 3x3 map patch -> output."""
    m = homography(np.float64(quad) - 0.5, np.float64([[0, 0], [w, 0], [w, h], [0, h]]) - 0.5)
    return cv2.warpPerspective(patch, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), m


def normalise(crop):
    """The normalisation of the runtime: float32 (p - mean) / max(std, 8), clamped to -4..4."""
    p = np.asarray(crop, np.float32)
    return np.clip((p - p.mean()) / max(float(p.std()), 8.0), -4, 4)
