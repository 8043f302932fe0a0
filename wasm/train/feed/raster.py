"""Triangles to pixels, with a depth buffer, in numpy: the whole mesh at once, in groups of about equal size."""
import numpy as np

MOST = 1_500_000  # candidate pixels processed at once; bounds the memory


def rasterise(u, v, depth, triangles, w, h):
    """Nearest triangle of each pixel; triangles seen from behind (counter-clockwise on the screen) are culled.

    u, v, depth   [n] of the vertices, pixels
    triangles     int [m, 3]
    -> (index int32 [h, w], -1 where there is none; weights float32 [h, w, 3] of the corners)
    """
    z = np.full(h * w, np.inf, np.float32)
    index = np.full(h * w, -1, np.int32)
    weights = np.zeros((h * w, 3), np.float32)
    x, y = u[triangles], v[triangles]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    x0, x1, y0, y1 = x.min(1), x.max(1), y.min(1), y.max(1)
    seen = (area > 1e-4) & (x1 > 0) & (x0 < w) & (y1 > 0) & (y0 < h) & (depth[triangles].min(1) > 0.3)
    ids = np.flatnonzero(seen)
    left = np.ceil(x0[ids] - 0.5).astype(np.int64)
    top = np.ceil(y0[ids] - 0.5).astype(np.int64)
    spanned = np.maximum(np.floor(x1[ids] - 0.5) - left, np.floor(y1[ids] - 0.5) - top) + 1
    order = np.argsort(spanned)
    ids, left, top, spanned = ids[order], left[order], top[order], spanned[order]
    first = np.searchsorted(spanned, 1)
    while first < len(ids):
        side = int(spanned[first])
        side = max(side + 1, int(side * 1.3))
        last = min(int(np.searchsorted(spanned, side, "right")), first + max(1, MOST // (side * side)))
        part, steps = ids[first:last], np.arange(side)
        px = left[first:last, None, None] + steps[None, None, :]
        py = top[first:last, None, None] + steps[None, :, None]
        tx, ty = x[part].astype(np.float32), y[part].astype(np.float32)
        cx, cy = px + np.float32(0.5), py + np.float32(0.5)
        edge = lambda a, b: (
            (tx[:, b] - tx[:, a])[:, None, None] * (cy - ty[:, a][:, None, None])
            - (ty[:, b] - ty[:, a])[:, None, None] * (cx - tx[:, a][:, None, None])
        )
        e0, e1, e2 = edge(1, 2), edge(2, 0), edge(0, 1)
        inside = (e0 >= 0) & (e1 >= 0) & (e2 >= 0) & (px >= 0) & (px < w) & (py >= 0) & (py < h)
        t, j, i = np.nonzero(inside)
        k = 1 / area[part].astype(np.float32)[t]
        b = np.stack([e0[t, j, i] * k, e1[t, j, i] * k, e2[t, j, i] * k], 1)
        at = (top[first:last][t] + j) * w + left[first:last][t] + i
        d = (b * depth[triangles[part[t]]]).sum(1).astype(np.float32)
        near = np.flatnonzero(d < z[at])
        near = near[np.argsort(-d[near], kind="stable")]  # the nearest is written last and stays
        at, d = at[near], d[near]
        z[at] = d
        index[at] = part[t[near]]
        weights[at] = b[near]
        first = last
    return index.reshape(h, w), weights.reshape(h, w, 3)
