"""A virtual background as calls have it: who sits there is cut out frame by frame and laid over another picture.

    pip install ai-edge-litert; pip install --no-deps mediapipe==0.10.14

The mask is of MediaPipe's selfie segmentation for landscape pictures (Apache-2.0; its file alone is used), which browsers' calls have too, its edge drawn
through `SURE` and steadied over frames. Nothing is trained on it.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

SIZE, SECONDS = (256, 144), 3.0
# masks under the first are background, over the second the person; and what of the last frame's mask stays
SURE, STAYS = (0.3, 0.75), 0.4


@cache
def network():
    from ai_edge_litert.interpreter import Interpreter

    package = importlib.util.find_spec("mediapipe")
    if package is None:
        raise SystemExit("a virtual background needs the file of `pip install --no-deps mediapipe==0.10.14`")
    net = Interpreter(str(Path(package.origin).parent / "modules/selfie_segmentation/selfie_segmentation_landscape.tflite"), num_threads=1)
    net.allocate_tensors()
    return net, net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]


def mask(image: np.ndarray) -> np.ndarray:
    """How surely each pixel of a picture (height, width, 3) is of a person, 0 to 1, (144, 256)."""
    net, into, out = network()
    net.set_tensor(into, cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)[None].astype(np.float32) / 255)
    net.invoke()
    return net.get_tensor(out)[0, :, :, 0].copy()


def room(image: np.ndarray, seed: int) -> np.ndarray:
    """What stands behind: the room itself, blurred, as seen in this first frame, or shelves that are drawn, by turns of `seed`."""
    h, w = image.shape[:2]
    if seed % 2:
        return cv2.GaussianBlur(image, (0, 0), h / 25)
    rng = np.random.default_rng(seed)
    wall = np.linspace(rng.integers(120, 220, 3), rng.integers(60, 160, 3), h)[:, None].repeat(w, 1).astype(np.uint8)
    for x in range(0, w, max(8, w // 40)):
        for y in range(0, h, max(24, h // 5)):
            cv2.rectangle(wall, (x, y + int(rng.integers(2, h // 12))), (x + max(6, w // 45), y + h // 6), rng.integers(20, 235, 3).tolist(), -1)
    return cv2.GaussianBlur(wall, (0, 0), 1.2)


def behind(source: Path, target: Path, seed: int) -> None:
    """The first seconds of a video with another background, coded as H.264."""
    held, before = None, None
    with av.open(str(source)) as media, av.open(str(target), "w") as out:
        stream = None
        for frame in media.decode(video=0):
            if float(frame.time or 0) > SECONDS:
                break
            image = frame.to_ndarray(format="rgb24")
            image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            h, w = image.shape[:2]
            if stream is None:
                stream = out.add_stream("libx264", rate=media.streams.video[0].average_rate, options={"crf": "23", "preset": "veryfast", "threads": "1"})
                stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
                held = room(image, seed)
            seen = mask(image)
            before = seen if before is None else STAYS * before + (1 - STAYS) * seen
            share = np.clip((cv2.resize(before, (w, h), interpolation=cv2.INTER_LINEAR) - SURE[0]) / (SURE[1] - SURE[0]), 0, 1)[..., None]
            made = av.VideoFrame.from_ndarray((image * share + held * (1 - share)).astype(np.uint8), format="rgb24")
            made.pts, made.time_base = frame.pts, frame.time_base
            out.mux(stream.encode(made))
        if stream:
            out.mux(stream.encode(None))
