"""ONNX graphs as they ship: weights stored small, and proof that a graph computes what PyTorch computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper


def session(path: Path) -> onnxruntime.InferenceSession:
    """On one thread of the processor, as the library runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def carried(path: Path, head: str) -> dict[str, torch.Tensor]:
    """Weights of the module that a graph carries under names that begin with `head`, whole or as `half` left them."""
    graph = onnx.load(str(path)).graph
    return {t.name.removeprefix(head).removesuffix("_half"): torch.from_numpy(numpy_helper.to_array(t).astype(np.float32)) for t in graph.initializer if t.name.startswith(head)}


def fill(module: torch.nn.Module, held: dict[str, torch.Tensor]) -> None:
    """Gives a module its weights; tables that it makes itself may be missing."""
    missing = module.load_state_dict(held, strict=False).missing_keys
    assert not [k for k in missing if k.endswith(("weight", "bias", "running_mean", "running_var"))], missing


def eight(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights in eight bits, and a scale for each row: they are the product."""
    scale = (np.abs(values.reshape(len(values), -1)).max(1) / 127 + 1e-12).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return np.round(values / scale).astype(np.int8), scale


def half(path: Path, least: int = 256) -> None:
    """Stores weights of more than `least` numbers in half precision, with a cast that ONNX Runtime folds when it loads the graph."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > least:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
            casts.append(onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def once(path: Path) -> None:
    """Constants become initializers, each kept once however often it is used."""
    model = onnx.load(str(path))
    graph, kept, names, nodes = model.graph, {}, {}, []

    def keep(name: str, tensor) -> None:
        first = kept.setdefault((tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes()), name)
        names[name] = first
        if first == name:
            held = onnx.TensorProto()
            held.CopyFrom(tensor)
            held.name = name
            tensors.append(held)

    tensors: list = []
    for tensor in graph.initializer:
        keep(tensor.name, tensor)
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            keep(node.output[0], node.attribute[0].t)
        else:
            nodes.append(node)
    for node in nodes:
        node.input[:] = [names.get(i, i) for i in node.input]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)
    onnx.save(model, str(path))


def agree(path: Path, net: torch.nn.Module, inputs: dict[str, torch.Tensor], limit: float) -> None:
    """Runs both; a difference of `limit` and more in any output is an error."""
    with torch.no_grad():
        want = net(*inputs.values())
    want = [t.numpy() for t in (want if isinstance(want, tuple | list) else (want,))]
    got = session(path).run(None, {k: v.numpy() for k, v in inputs.items()})
    apart = [float(np.abs(w - g).max()) for w, g in zip(want, got, strict=True)]
    print(path.parent.name, "largest differences to PyTorch", [f"{a:.2g}" for a in apart])
    if max(apart) >= limit:
        raise SystemExit(f"{path} does not compute what PyTorch computes: {max(apart):.2g} apart, less than {limit} wanted")
