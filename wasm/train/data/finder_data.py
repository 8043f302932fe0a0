"""Samples for the two finder nets: views of real scenes with boxes, and plates pasted into views with known corners.

A sample of either net: image uint8 [h, w], heat f16 [h/8, w/8] (1 at a plate's centre cell), reg f16 [c, h/8, w/8] and
weight f16 [h/8, w/8] (how much the regression counts there; heat weight -1 marks cells to ignore).
"""
import cv2
import numpy as np

from data import photos
from data.bank import Bank
from data.camera_effects import RAMP, curve, optics, paste, random_quad, relight, shade
from nets import shapes

STRIDE = 8
CORNER_UNIT = 32.0  # a corner is given as (x + 0.5) * 8 + 32 * value
STEEP = 12.0  # degrees: standard deviation of the rotation of plates seen from the side and in bends
COARSE_LEAST = 9.0  # plates narrower than this in the coarse look are ignored: neither plate nor ground


class Scene:
    """A photo as a pyramid of halvings, with the boxes of its plates (x, y, w, h)."""

    def __init__(self, image, boxes, weight=1.0, quads=None):
        self.levels, self.boxes, self.weight, self.quads = [image], boxes, weight, quads or [None] * len(boxes)
        while min(self.levels[-1].shape) >= 64:
            a = self.levels[-1]
            self.levels.append(
                cv2.resize(
                    a[: a.shape[0] // 2 * 2, : a.shape[1] // 2 * 2],
                    (a.shape[1] // 2, a.shape[0] // 2),
                    interpolation=cv2.INTER_AREA,
                )
            )

    @property
    def size(self):
        return self.levels[0].shape[1], self.levels[0].shape[0]

    def view(self, m, w, h):
        """m: 2x3 map output pixel -> frame (centres at +0.5 on both sides). Sampled by the runtime's rule."""
        s = max(1.0, float(np.hypot(m[0, 0], m[1, 0])), float(np.hypot(m[0, 1], m[1, 1])))
        level = min(int(np.log2(s)), len(self.levels) - 1)
        k = 2.0**-level
        a = np.float64(m) * k
        a[:, 2] = a[:, :2] @ (0.5, 0.5) + a[:, 2] - 0.5
        return cv2.warpAffine(
            self.levels[level],
            a,
            (w, h),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def bounding_box(quad):
    """(x, y, w, h) of a quad; None for None."""
    if quad is None:
        return None
    return [*quad.min(0), *(quad.max(0) - quad.min(0))]


def load_scenes(tune=False):
    """Scenes with boxes, and scenes without any plate."""
    full, empty = [], []
    emphasis = {
        "openalpr-e2e-us": 6.0,
        "openalpr-e2e-eu": 2.0,
        "openalpr-e2e-br": 2.0,
        "openimages-lp": 0.8,
        "romanian-lpd": 0.7,
        "web-plates-225": 0.8,
    }
    for row in photos.training_rows(kind="scene", tune=tune):
        quads = photos.corners(row)
        boxes = [p.get("box") or bounding_box(q) for p, q in zip(row["plates"], quads)]
        image = photos.grey(row) if all(boxes) else None
        if image is None:
            continue
        scene = Scene(image, boxes, emphasis.get(row["set"], 1.0), quads)
        scene.mined, scene.searched = photos.mined(row), photos.searched(row)
        (full if boxes else empty).append(scene)
    return full, empty


def invert(m):
    return cv2.invertAffineTransform(np.float64(m))


def apply(m, points):
    return np.float64(points) @ np.float64(m)[:, :2].T + np.float64(m)[:, 2]


def put_heat(heat, cx, cy, sx, sy):
    """Gaussian around cell (cx, cy), 1 at the cell itself; keeps the larger value."""
    h, w = heat.shape
    x, y = int(np.clip(cx, 0, w - 1)), int(np.clip(cy, 0, h - 1))
    gx = np.exp(-0.5 * ((np.arange(w) - x) / max(sx, 0.35)) ** 2)
    gy = np.exp(-0.5 * ((np.arange(h) - y) / max(sy, 0.35)) ** 2)
    np.maximum(heat, gy[:, None] * gx[None], out=heat)
    return x, y


class Source:
    """The common part of both nets' samples: scenes, plate textures with corners, camera effects."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.bank = Bank()
        self.full, self.empty = load_scenes()
        self.mined = [(s, (cx - w / 2, cy - h / 2, w, h)) for s in self.empty for _, cx, cy, w, h in s.mined]
        if not self.full and not self.empty:
            from data.backdrops import Backdrops

            self.empty = [Scene(Backdrops.invented(self.rng), []) for _ in range(60)]
        self.p = None
        if self.full:
            p = np.array([s.weight * len(s.boxes) ** 0.5 for s in self.full])
            self.p = p / p.sum()
        self.crops = []
        for row in photos.training_rows(["openalpr-seg-us", "openalpr-td-eu", "openalpr-td-eu2", "argentina-bench"]):
            image, quad = photos.grey(row), photos.corners(row)[0]
            if image is not None:
                image, k = photos.fit_within(image, 320)
                h, w = image.shape
                self.crops.append((image, np.float32([[0, 0], [w, 0], [w, h], [0, h]]) if quad is None else quad * k))

    def scene(self):
        return self.full[self.rng.choice(len(self.full), p=self.p)]

    def texture(self):
        """(grey, alpha, corners) of a rendered plate, or of a real crop whose edges are the plate's."""
        rng = self.rng
        if self.crops and rng.random() < 0.3:
            image, corners = self.crops[rng.integers(len(self.crops))]
            return image, np.full(image.shape, 255, np.uint8), corners
        grey, alpha, corners, *_ = self.bank[rng.integers(len(self.bank))]
        return grey, alpha, corners

    def pasted(self, patch, plate_w, centre, tilt):
        """Paste a plate about `plate_w` pixels wide at `centre`; returns (patch, quad)."""
        rng = self.rng
        grey, alpha, corners = self.texture()
        pw, ph = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
        quad = random_quad(rng, plate_w, plate_w * ph / pw, tilt) + centre
        return (
            paste(
                patch,
                relight(rng, grey),
                alpha,
                corners,
                quad,
                shadow=rng.uniform(0, 0.6) if rng.random() < 0.5 else 0.0,
            ),
            quad,
        )


def corners_of(box):
    x, y, w, h = box
    return np.float64([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


class CoarseData(Source):
    """Views of 192x320: reg = dx, dy, lw, lh as in the model format."""

    H, W, REG = 192, 320, 4

    def elsewhere(self, view, corners):
        """Keep the surroundings of a plate and blend the rest into grey or a picture without a plate,
        so that the net does not learn where plates usually are. Returns (view, share of it kept)."""
        rng = self.rng
        low, high = corners.min(0), corners.max(0)
        half = (high - low) * rng.uniform(0.8, 2.5, 2) + 4
        middle = (low + high) / 2
        x, y = (
            np.abs(np.arange(n) + 0.5 - c) / r
            for n, c, r in ((self.W, middle[0], half[0]), (self.H, middle[1], half[1]))
        )
        keep = np.clip((1 - np.maximum(x[None], y[:, None])) * rng.uniform(4, 12), 0, 1)
        if self.empty and rng.random() < 0.5:
            scene = self.empty[rng.integers(len(self.empty))]
            other = scene.view(
                np.float64([[scene.size[0] / self.W, 0, 0], [0, scene.size[1] / self.H, 0]]), self.W, self.H
            )
        else:
            other = np.full((self.H, self.W), rng.uniform(20, 230))
        return np.uint8(np.clip(keep * view + (1 - keep) * other, 0, 255)), keep

    def sample(self):
        rng = self.rng
        heat = np.zeros((self.H // STRIDE, self.W // STRIDE), np.float32)
        weight = np.zeros_like(heat)
        reg = np.zeros((self.REG, *heat.shape), np.float32)
        roll = rng.random()
        boxes = []
        if self.full and roll < 0.68:
            scene = self.scene()
            width, height = scene.size
            natural = (width * height / (self.W * self.H)) ** 0.5  # frame pixels per input pixel in the runtime
            x, y, w, h = scene.boxes[rng.integers(len(scene.boxes))]
            if rng.random() < 0.75:
                s = natural * np.exp(rng.normal(-0.12, 0.3))
            else:  # close-ups: up to 0.9 of the view
                s = w / np.exp(rng.uniform(np.log(24), np.log(290)))
            s = max(s, w / 300)
            cx, cy = x + w / 2, y + h / 2
            inside = 0.0 if rng.random() < 0.08 else 1.0  # sometimes cut by the edge, with its middle visible
            px = np.clip(
                rng.uniform(0.0, 1.0) * self.W if not inside else rng.uniform(0.08, 0.92) * self.W,
                min(inside * w / s / 2, self.W / 2),
                max(self.W - inside * w / s / 2, self.W / 2),
            )
            py = np.clip(
                rng.uniform(0.08, 0.92) * self.H, min(h / s / 2, self.H / 2), max(self.H - h / s / 2, self.H / 2)
            )
            if s > 0.6 * natural:  # prefer real pixels over repeated edges
                px = np.clip(px, min(self.W, self.W - (width - cx) / s), max(0, cx / s)) if width / s >= self.W else px
                py = (
                    np.clip(py, min(self.H, self.H - (height - cy) / s), max(0, cy / s)) if height / s >= self.H else py
                )
            a = np.radians(rng.normal(0, 3))
            boxes = scene.boxes
        else:
            scene = (
                self.empty[rng.integers(len(self.empty))]
                if self.empty and (roll > 0.75 or not self.full)
                else self.scene()
            )
            width, height = scene.size
            natural = (width * height / (self.W * self.H)) ** 0.5
            s = natural * np.exp(rng.normal(-0.2, 0.4) if scene.boxes else rng.normal(-0.05, 0.25))
            cx, cy, px, py, a = (
                width * rng.uniform(0.2, 0.8),
                height * rng.uniform(0.2, 0.8),
                self.W / 2,
                self.H / 2,
                np.radians(rng.normal(0, 3)),
            )
            boxes = scene.boxes
        stretch = np.exp(rng.normal(0, 0.06))
        r = np.float64([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag((s * stretch, s))
        if rng.random() < 0.4:
            r = r @ np.diag((-1.0, 1.0))
        m = np.concatenate([r, (np.float64((cx, cy)) - r @ (px, py))[:, None]], 1)
        image = scene.view(m, self.W, self.H)
        back = invert(m)
        kept = None
        if boxes and rng.random() < 0.12:
            image, kept = self.elsewhere(image, apply(back, corners_of(boxes[rng.integers(len(boxes))])))
        found = []
        for box in boxes:
            q = apply(back, corners_of(box))
            x, y = q.mean(0).astype(int)
            if kept is not None and not (0 <= x < self.W and 0 <= y < self.H and kept[y, x] > 0.5):
                continue
            k = abs(np.sin(a)) * 0.8  # a turned box's bounds are larger than the turned plate's
            low, high = q.min(0), q.max(0)
            bw, bh = high - low
            found.append([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, bw - k * bh * 0.3, bh - k * bw * 0.3])
        if found and rng.random() < 0.2:  # another plate over the true one: new texts and designs where plates are
            at = rng.integers(len(found))
            cx, cy, bw, bh = found[at]
            if bw >= COARSE_LEAST:
                image, quad = self.pasted(image, bw * rng.uniform(0.95, 1.15), np.array((cx, cy)), 1.2)
                low, high = quad.min(0), quad.max(0)
                found[at] = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, *(high - low)]
        if rng.random() < (0.25 if found else 0.35):
            w = float(np.exp(rng.uniform(np.log(14), np.log(220))))
            centre = np.array((rng.uniform(0.1, 0.9) * self.W, rng.uniform(0.1, 0.9) * self.H))
            if all(
                abs(f[0] - centre[0]) > (f[2] + w) * 0.6 or abs(f[1] - centre[1]) > (f[3] + w * 0.5) * 0.6
                for f in found
            ):
                image, quad = self.pasted(image, w, centre, 1.2)
                low, high = quad.min(0), quad.max(0)
                found.append([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, *(high - low)])
        for cx, cy, bw, bh in found:
            gx, gy = cx / STRIDE, cy / STRIDE
            if not (0 <= gx < heat.shape[1] and 0 <= gy < heat.shape[0]):
                continue
            if bw < COARSE_LEAST:
                weight[int(gy), int(gx)] = -1
                continue
            x, y = put_heat(heat, gx, gy, bw / STRIDE * 0.12, bh / STRIDE * 0.12)
            for yy in range(max(0, y - 1), min(heat.shape[0], y + 2)):
                for xx in range(max(0, x - 1), min(heat.shape[1], x + 2)):
                    wgt = 1.0 if (xx, yy) == (x, y) else 0.3
                    if weight[yy, xx] < wgt:
                        weight[yy, xx] = wgt
                        reg[:, yy, xx] = gx - xx - 0.5, gy - yy - 0.5, np.log(bw / STRIDE), np.log(max(bh, 2) / STRIDE)
        if rng.random() < 0.5:
            image = relight_scene(rng, image)
        return {"image": optics(rng, image, 0.5), "heat": heat, "reg": reg, "weight": weight}


def relight_scene(rng, image):
    """Exposure and night: gamma and gain over the whole view, sometimes a shadow. Returns float32."""
    image = curve(image, 255 * (RAMP / 255) ** np.exp(rng.normal(0, 0.35)) * rng.uniform(0.4, 1.1))
    return shade(rng, image) if rng.random() < 0.3 else image


class FineData(Source):
    """Windows of 96x192 about a candidate: reg = 8 corner offsets in units of 32 pixels from the cell's centre."""

    H, W, REG, ZOOM = 96, 192, 8, 2.0

    def jitter(self, bw, bh):
        """A box with the errors of the coarse look: shift and size."""
        rng = self.rng
        return (
            rng.normal(0, 0.09) * bw,
            rng.normal(0, 0.16) * bh,
            bw * np.exp(rng.normal(0, 0.14)),
            bh * np.exp(rng.normal(0, 0.16)),
        )

    def turn(self):
        """Rotation of a real view, degrees: (in its plane; lean of a plate seen from the side, whose
        sides stay upright)."""
        rng, roll = self.rng, self.rng.random()
        if roll < 0.2:
            return rng.normal(0, 3), rng.normal(0, STEEP)
        return (rng.normal(0, STEEP) if roll < 0.27 else rng.normal(0, 5) if roll < 0.6 else 0.0), 0.0

    def sample(self):
        rng = self.rng
        heat = np.zeros((self.H // STRIDE, self.W // STRIDE), np.float32)
        weight = np.zeros_like(heat)
        reg = np.zeros((self.REG, *heat.shape), np.float32)
        roll = rng.random()
        quads = []  # (corners in window pixels, weight)
        if self.full and roll < 0.4:
            scene = self.scene()
            i = rng.integers(len(scene.boxes))
            bx, by, bw, bh = scene.boxes[i]
            dx, dy, jw, jh = self.jitter(bw, bh)
            width = max(self.ZOOM * jw, 2 * self.ZOOM * jh, 48.0)
            s = width / self.W
            a, lean = np.radians(self.turn())
            r = (
                np.float64([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
                @ np.float64([[1, 0], [np.tan(lean), 1]])
                * s
            )
            c = np.float64((bx + bw / 2 + dx, by + bh / 2 + dy))
            m = np.concatenate([r, (c - r @ (self.W / 2, self.H / 2))[:, None]], 1)
            image = scene.view(m, self.W, self.H)
            back = invert(m)
            for box, quad in zip(scene.boxes, scene.quads):
                quads.append(
                    (
                        apply(back, corners_of(box) if quad is None else quad),
                        1.0 if quad is not None else 0.0 if scene.searched else 0.25,
                    )
                )
            image = optics(rng, relight_scene(rng, image) if rng.random() < 0.5 else image, 0.5)
        elif roll < 0.78 or not (self.empty or self.mined):
            w = float(np.exp(rng.uniform(np.log(24), np.log(260))))  # plate width in frame pixels
            grey, alpha, corners = self.texture()
            pw, ph = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
            quad = random_quad(rng, w, w * ph / pw, 1.6 if rng.random() < 0.7 else STEEP / 3)
            low, high = quad.min(0), quad.max(0)
            bw, bh = high - low
            dx, dy, jw, jh = self.jitter(bw, bh)
            width = max(self.ZOOM * jw, 2 * self.ZOOM * jh, 48.0)
            k = max(1.0, width / self.W / 2)  # the patch is the frame, at most twice the window's pixels
            fw = int(width / k)
            fh = max(8, fw // 2)
            quad = (quad - (low + high) / 2 - (dx, dy)) / k + (fw / 2, fh / 2)
            if self.full and rng.random() < 0.5:  # over a real plate: bumper and trunk around it
                scene = self.scene()
                bx, by, sw, sh = scene.boxes[rng.integers(len(scene.boxes))]
                s = sw / (bw / k) * rng.uniform(1.0, 1.25)
                c = np.float64((bx + sw / 2, by + sh / 2))
                m = np.float64([[s, 0, c[0] - s * quad[:, 0].mean()], [0, s, c[1] - s * quad[:, 1].mean()]])
            else:
                scene = (self.empty or self.full)[rng.integers(len(self.empty or self.full))]
                s = np.exp(rng.normal(0, 0.4))
                c = np.float64([rng.uniform(0, v) for v in scene.size])
                m = np.float64([[s, 0, c[0] - s * fw / 2], [0, s, c[1] - s * fh / 2]])
            frame = scene.view(m, fw, fh)
            frame = paste(
                frame,
                relight(rng, grey),
                alpha,
                corners,
                quad - 0.5,
                shadow=rng.uniform(0, 0.6) if rng.random() < 0.5 else 0.0,
            )
            frame = optics(rng, relight_scene(rng, frame) if rng.random() < 0.5 else frame, min(1.0, 0.3 + w / 200))
            t = fw / self.W
            image = Scene(frame, []).view(np.float64([[t, 0, 0], [0, fh / self.H, 0]]), self.W, self.H)
            quads.append((quad * (self.W / fw, self.H / fh), 1.0))
        else:
            if self.mined and rng.random() < 0.6:  # wrong proposals of the coarse look
                scene, (bx, by, bw, bh) = self.mined[rng.integers(len(self.mined))]
                dx, dy, jw, jh = self.jitter(bw, bh)
                c, width = np.float64((bx + bw / 2 + dx, by + bh / 2 + dy)), max(
                    self.ZOOM * jw, 2 * self.ZOOM * jh, 48.0
                )
            else:
                scene = self.empty[rng.integers(len(self.empty))]
                c, width = np.float64([rng.uniform(0, v) for v in scene.size]), float(
                    np.exp(rng.uniform(np.log(48), np.log(500)))
                )
            s = width / self.W
            m = np.float64([[s, 0, c[0] - s * self.W / 2], [0, s, c[1] - s * self.H / 2]])
            image = scene.view(m, self.W, self.H)
            image = optics(rng, relight_scene(rng, image) if rng.random() < 0.5 else image, 0.5)
        for quad, confidence in quads:
            gx, gy = quad.mean(0) / STRIDE
            if not (0 <= gx < heat.shape[1] and 0 <= gy < heat.shape[0]) or quad[1, 0] - quad[0, 0] < 20:
                continue
            x, y = put_heat(heat, gx, gy, 0.9, 0.6)
            for yy in range(max(0, y - 1), min(heat.shape[0], y + 2)):
                for xx in range(max(0, x - 2), min(heat.shape[1], x + 3)):
                    weight[yy, xx] = confidence
                    reg[:, yy, xx] = ((quad - ((xx + 0.5) * STRIDE, (yy + 0.5) * STRIDE)) / CORNER_UNIT).ravel()
        return {"image": image, "heat": heat, "reg": reg, "weight": weight}


def fields(kind):
    """The ring's fields for a net's samples."""
    data = CoarseData if kind == "coarse" else FineData
    h, w = data.H // STRIDE, data.W // STRIDE
    return {
        "image": ((data.H, data.W), np.uint8),
        "heat": ((h, w), np.float16),
        "reg": ((data.REG, h, w), np.float16),
        "weight": ((h, w), np.float16),
    }


def graph(kind):
    return shapes.coarse() if kind == "coarse" else shapes.fine()
