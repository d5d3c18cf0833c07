"""Goes on from an earlier release of our own: its graph holds convolutions with the normalisation folded in."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .models import Refine


def folded(path: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weights and biases of the graph's convolutions and linear layers, in the order in which they run."""
    graph = onnx.load(str(path)).graph
    held = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()).float() for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
    return [(held[n.input[1]], held[n.input[2]]) for n in graph.node if n.op_type in ("Conv", "Gemm")]


@torch.no_grad()
def load(net: nn.Module, path: Path, images: torch.Tensor) -> None:
    """Fills `net` so that on `images` it computes what the graph computes; blocks that the graph lacks stay idle.

    Modules must be declared in the order in which they run. A normalisation takes the statistics of the pictures as its own
    and undoes them with its scale and shift, so that training goes on from the same function.
    """
    given = folded(path)
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.BatchNorm2d))]
    if len(given) < sum(not isinstance(m, nn.BatchNorm2d) for m in layers):
        fresh = {m for r in net.modules() if isinstance(r, Refine) for m in r.modules()}
        layers = [m for m in layers if m not in fresh]
    weights = iter(given)
    hooks = []
    for layer, after in zip(layers, [*layers[1:], None]):
        if isinstance(layer, nn.BatchNorm2d):
            continue
        weight, bias = next(weights)
        layer.weight.copy_(weight)
        if isinstance(after, nn.BatchNorm2d):
            hooks.append(after.register_forward_pre_hook(lambda m, x, shift=bias: undo(m, x[0], shift)))
        else:
            layer.bias.copy_(bias)
    if next(weights, None) is not None:
        raise ValueError(f"{path} has more layers than the network")
    net.eval()
    net(images)
    for hook in hooks:
        hook.remove()


def undo(layer: nn.BatchNorm2d, x: torch.Tensor, shift: torch.Tensor) -> None:
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(var)
    layer.weight.copy_((var + layer.eps).sqrt())
    layer.bias.copy_(shift + mean)
