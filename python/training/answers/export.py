"""ONNX graphs and model.toml of the two models. Hashed features come in as indices and values; the graph gathers weights.

    python -m answers.train --data ... --manuals ... --out ../../models
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .model import SIZE, Linear

IR = 9


def const(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, dtype=kind), name)


def wording(linear: Linear) -> bytes:
    """Inputs indices and values of the features, and the number of words; outputs the logit and the logit of speech."""
    counted = np.union1d(linear.keep, linear.phrases)
    rows = np.zeros((len(counted) + 1, 4), np.float32)
    at = np.searchsorted(counted, linear.keep) + 1
    rows[at, 0], rows[at, 1], rows[at, 2] = linear.weight, linear.spoken, 1
    rows[np.searchsorted(counted, linear.phrases) + 1, 3] = linear.manner
    # only rows that count are stored: where[index] is their number, 0 a row of zeros
    where = np.zeros(SIZE, np.int16 if len(counted) < 32767 else np.int32)
    where[counted] = np.arange(1, len(counted) + 1)
    node = helper.make_node
    nodes = [
        node("Cast", ["indices"], ["i64"], to=TensorProto.INT64),
        node("Gather", ["where", "i64"], ["at16"], axis=0),
        node("Cast", ["at16"], ["at"], to=TensorProto.INT64),
        node("Gather", ["rows", "at"], ["held16"], axis=0),
        node("Cast", ["held16"], ["held"], to=TensorProto.FLOAT),  # n x 4
        node("Unsqueeze", ["values", "one"], ["column"]),
        node("Mul", ["column", "held"], ["product"]),
        node("ReduceSum", ["product", "zero"], ["sums"], keepdims=0),  # 4
        node("Slice", ["held", "two", "three", "one"], ["mask"]),
        node("Mul", ["column", "column"], ["square"]),
        node("Mul", ["square", "mask"], ["kept"]),
        node("ReduceSum", ["kept"], ["total"], keepdims=0),
        node("Sqrt", ["total"], ["root"]),
        node("Max", ["root", "least"], ["length"]),
        node("Div", ["sums", "length"], ["unit"]),
        node("Gather", ["unit", "zero"], ["unit0"], axis=0),
        node("Gather", ["unit", "one"], ["unit1"], axis=0),
        node("Gather", ["sums", "three"], ["phrases"], axis=0),
        node("Div", ["phrases", "words"], ["manner"]),
        node("Add", ["unit0", "manner"], ["both"]),
        node("Add", ["both", "bias0"], ["score"]),
        node("Add", ["unit1", "bias1"], ["spoken"]),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "answers",
        [info("indices", TensorProto.FLOAT, ["n"]), info("values", TensorProto.FLOAT, ["n"]), info("words", TensorProto.FLOAT, [1])],
        [info("score", TensorProto.FLOAT, [1]), info("spoken", TensorProto.FLOAT, [1])],
        [
            numpy_helper.from_array(where, "where"), numpy_helper.from_array(rows.astype(np.float16), "rows"), const("zero", [0], np.int64),
            const("one", [1], np.int64), const("two", [2], np.int64), const("three", [3], np.int64), const("least", [1e-6]),
            const("bias0", [linear.bias]), const("bias1", [linear.spoken_bias]),
        ],
    )
    return finish(graph)


def delivery(graph, features, held) -> bytes:
    """The graph of `timing.graph`, traced with one stretch."""
    import io
    import warnings

    import torch

    example = tuple(torch.tensor(v, dtype=torch.float32) for v in (features[None], *held))
    out, axes = io.BytesIO(), {"pairs": {0: "n"}, "words": {0: "m"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(graph, example, out, input_names=["features", "pairs", "words"], output_names=["score"], opset_version=17, dynamic_axes=axes, dynamo=False)
    onnx.checker.check_model(onnx.load_from_string(out.getvalue()))
    return out.getvalue()


def finish(graph) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=IR, producer_name="inperson")
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write(folder: Path, onnx_bytes: bytes, head: str, calibration: dict, metrics: dict):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    digest = hashlib.sha256(onnx_bytes).hexdigest()
    text = head.replace("SHA256", digest)
    text += "\n# natural logarithm, positive for an answer that is not the candidate's own\n[calibration]\n"
    text += "".join(f"{k} = {v}\n" for k, v in calibration.items())
    text += "\n[metrics]\n" + "".join(f"{k} = {v}\n" for k, v in metrics.items())
    (folder / "model.toml").write_text(text)
