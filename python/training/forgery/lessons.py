"""What a teacher sees in faces: MobileNetV3-small's inner layers on damaged stills, to be learnt by `student`.

    python -m forgery.lessons --data DIR --teacher mobilenet_v3_small.tflite [--times 4]

DIR is what `prepare` wrote; `DIR/lessons.crops.npy` (n, 160, 160, 3) and `DIR/lessons.maps.npy` (n, 14, 14, channels) come of it. The teacher
(Apache-2.0, trained on ImageNet) was made to name things, and its middle layers tell skin, hair and edges apart whoever it is; what they see in one
zone of a face and not in another goes wrong in fakes. No clip that figures are made of is among the pictures. Four minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from .blends import coloured, jpeg, rescaled, u8
from .crops import SIDE
from .student import CELLS, CHANNELS

# side of the teacher's picture; the maps: sums at the ends of the sixth and the eighth block
SEES = 224
LAYERS = ("predict/MobilenetV3/expanded_conv_5/add", "predict/MobilenetV3/expanded_conv_7/add")


class Teacher:
    def __init__(self, path: Path):
        self.net = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        self.net.allocate_tensors()
        places = {t["name"]: t["index"] for t in self.net.get_tensor_details()}
        self.given, self.maps = self.net.get_input_details()[0]["index"], [places[n] for n in LAYERS]

    def __call__(self, crop: np.ndarray) -> np.ndarray:
        """A crop (side, side, 3) to maps (14, 14, channels)."""
        x = cv2.resize(crop, (SEES, SEES), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 127.5 - 1
        self.net.set_tensor(self.given, x[None])
        self.net.invoke()
        return np.concatenate([self.net.get_tensor(k)[0] for k in self.maps], -1)


def damaged(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A little turned and shifted, of other light, softer, noisier and coded again."""
    angle, size = rng.uniform(-6, 6), rng.uniform(0.92, 1.08)
    m = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, size) + np.array([[0, 0, rng.uniform(-5, 5)], [0, 0, rng.uniform(-5, 5)]])
    x = cv2.warpAffine(x, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x = x[:, ::-1] if rng.random() < 0.5 else x
    if rng.random() < 0.5:
        x = coloured(x, rng)
    if rng.random() < 0.6:
        x = rescaled(x, rng.uniform(0.35, 0.95), rng)
    if rng.random() < 0.3:
        x = u8(x + rng.normal(0, rng.uniform(1, 8), x.shape))
    x = np.ascontiguousarray(x)
    return jpeg(x, int(rng.integers(25, 95))) if rng.random() < 0.6 else x


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teacher", type=Path, required=True)
    p.add_argument("--times", type=int, default=4, help="how often each still is damaged anew")
    a = p.parse_args()
    cv2.setNumThreads(1)
    teacher, rng = Teacher(a.teacher), np.random.default_rng(0)
    crops, count = np.load(a.data / "stills.crops.npy", mmap_mode="r"), len(json.loads((a.data / "stills.json").read_text()))
    rows = rng.permutation(np.repeat(np.arange(count), a.times))
    make = lambda name, kind, shape: np.lib.format.open_memmap(a.data / f"lessons.{name}.npy", "w+", kind, (len(rows), *shape))
    pictures, maps = make("crops", np.uint8, (SIDE, SIDE, 3)), make("maps", np.float16, (CELLS, CELLS, CHANNELS))
    for k, row in enumerate(rows):
        pictures[k] = damaged(crops[row], rng)
        maps[k] = teacher(pictures[k])
        if k % 2000 == 0:
            print(k, "of", len(rows), flush=True)


if __name__ == "__main__":
    main()
