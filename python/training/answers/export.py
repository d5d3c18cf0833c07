"""ONNX graphs and model.toml of the two models. Hashed features come in as indices and values; the graph gathers weights.

    python -m answers.train --data ... --manuals ... --out ../../models
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from contract import OPSET, Calibration, Contract, Tensor, write

from .model import SIZE, Linear

IR = 9
WORDING = Contract(
    "answers", "answer-wording", "Tells answers worded by a language model from those of people, in English.",
    [
        Tensor("indices", [-1], "hashes of words and of runs of two and three, below 2^20, as detect/answers/text.rs makes them"),
        Tensor("values", [-1], "ln(1 + count) of each"),
        Tensor("words", [1], "number of words"),
    ],
    [
        Tensor("score", [1], "logit; positive: worded by a model"),
        Tensor("spoken", [1], "logit; positive: speech, negative: writing of people"),
    ],
    "MIT OR Apache-2.0",
)
DELIVERY = Contract(
    "answers-delivery", "answer-delivery", "Tells reading aloud from free speech by the times of words, in English.",
    [
        Tensor("features", [1, 16], "a stretch of 150 words as detect/answers/delivery.rs measures it"),
        Tensor("pairs", [-1, 3], "neighbouring words with times: keys of both and the cell of the gap, as detect/answers/timing.rs gives them"),
        Tensor("words", [-1, 3], "words with times: key, kind of what follows, log of the length in seconds"),
    ],
    [Tensor("score", [-1], "logit; positive: read aloud")],
    "MIT OR Apache-2.0 AND CC-BY-SA-4.0 (see CARD.md: trained on times of words from CC BY-SA transcripts)",
)


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
        torch.onnx.export(graph, example, out, input_names=["features", "pairs", "words"], output_names=["score"], opset_version=OPSET, dynamic_axes=axes, dynamo=False)
    onnx.checker.check_model(onnx.load_from_string(out.getvalue()))
    return out.getvalue()


def finish(graph) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="inperson")
    onnx.checker.check_model(model)
    return model.SerializeToString()


def ship(models: Path, contract: Contract, graph: bytes, version: str, calibration: dict, metrics: dict) -> None:
    folder = models / contract.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    write(folder, contract, version, Calibration(**calibration, note="the graph's score"), metrics)
