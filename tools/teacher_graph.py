"""Tracing a network into an ONNX graph that keeps the names, and the independence, of its weights; checks of what was written.

The second half of export_teacher.py, which knows the kinds of networks. Nothing here is specific to diffusion.
"""
import contextlib
import inspect
import pathlib
import shutil
import tempfile
import warnings

import numpy as np
import torch

TRACED_BATCH = 2     # recorded samples have another one, which proves that the batch is free
LIMIT = 1e-3         # of the largest output: float32 sums in another order stay a hundred times below, a wrong operator far above

# Part of a message of PyTorch's exporter -> what helped. All were met with the networks named in export_teacher.md.
CURES = {
    "input 1 is marked single but has an empty string": "PyTorch 1.x writes a LayerNorm without weights wrongly at opset 17: use --opset 16.",
    "is not supported": "An operator that this PyTorch cannot write: a newer --opset or PyTorch may, else say it in other operators (traceable_operators).",
    "Cannot insert a Tensor that requires grad as a constant": "The network keeps a weight outside parameters and buffers: register it.",
}


class ExportError(Exception):
    """Something that the user can mend; printed without a stack."""


class Root(torch.nn.Module):
    """
    The network as the exporter sees it: its weights under their own names, its inputs by position. Only this outermost module is in training
    mode (dropout and the like ask their own module): then PyTorch does not merge weights of equal values, which would tie them for ever.
    """

    def __init__(self, network, call):
        super().__init__()
        self._modules, self._parameters, self._buffers = network._modules, network._parameters, network._buffers
        self.call = call   # a function, not a submodule, whose name would prefix the weights
        self.training = True

    def forward(self, *inputs):
        return self.call(*inputs)


def fix_tables(network):
    """Buffers, and parameters that alone of all want no gradient, become constants of the graph: an initializer would be trained."""
    some_train = any(parameter.requires_grad for parameter in network.parameters())
    count = 0
    for part in network.modules():
        tables = {name: value for name, value in part._buffers.items() if value is not None}
        tables |= {name: value for name, value in part._parameters.items() if value is not None and some_train and not value.requires_grad}
        for name, value in tables.items():
            part._buffers.pop(name, None)
            part._parameters.pop(name, None)
            part.__dict__[name] = value.detach()
        count += len(tables)
    return count


@contextlib.contextmanager
def traceable_operators():
    """Operators that older exporters cannot write or that take tensors for sizes while tracing, said in plainer ones."""
    functional = torch.nn.functional

    def with_numbers(function):   # `w.shape[-1] // 2` is a tensor while tracing; as padding it has to be a number
        number = lambda value: int(value) if isinstance(value, torch.Tensor) and value.dim() == 0 else value
        # A blur of one channel whose kernel comes of numbers in the code (diffusers' FIR resampling): nothing that is trained, so a constant.
        table = lambda weight: torch.tensor(weight.tolist()) if weight.shape[:2] == (1, 1) and not isinstance(weight, torch.nn.Parameter) else weight
        return lambda x, weight, *more, **named: function(x, table(weight), *map(number, more), **{key: number(value) for key, value in named.items()})

    def tile(self, *sizes):
        sizes = sizes[0] if isinstance(sizes[0], (tuple, list)) else sizes
        return self.repeat(*[1] * (self.dim() - len(sizes)), *sizes)

    def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **others):
        if is_causal or any(others.values()):
            raise ExportError("Causal or grouped attention: use 'module' with a network that says it in plain operators.")
        weights = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            weights = weights.masked_fill(~attn_mask, -1e30) if attn_mask.dtype == torch.bool else weights + attn_mask
        return weights.softmax(-1) @ value

    replaced = {(functional, "conv2d"): with_numbers(functional.conv2d), (functional, "conv_transpose2d"): with_numbers(functional.conv_transpose2d),
                (torch.Tensor, "tile"): tile, (functional, "scaled_dot_product_attention"): attention}
    kept = {(place, name): getattr(place, name) for place, name in replaced if hasattr(place, name)}
    try:
        for place, name in kept:
            setattr(place, name, replaced[place, name])
        yield
    finally:
        for (place, name), function in kept.items():
            setattr(place, name, function)


def write(root, inputs, path, opset):
    """The graph at a path; weights beside it, in one file, when they do not fit into 2 GB."""
    names = [*inputs, "output"]
    arguments = tuple(tensor[:TRACED_BATCH] for tensor in inputs.values())
    settings = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}   # the newer exporter renames weights
    target = pathlib.Path(path)
    with tempfile.TemporaryDirectory(dir=target.resolve().parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")   # the tracer warns of every number taken from a tensor; the recorded samples are the proof
        draft = pathlib.Path(folder) / target.name
        try:
            torch.onnx.export(root, arguments, str(draft), input_names=list(inputs), output_names=["output"], opset_version=opset,
                              dynamic_axes={name: {0: "N"} for name in names}, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE, **settings)
        except ExportError:
            raise
        except Exception as error:   # of many types, depending on PyTorch's version
            cure = next((cure for part, cure in CURES.items() if part in str(error)), "See the table of failures in export_teacher.md.")
            raise ExportError(f"PyTorch {torch.__version__} could not write the graph: {str(error).strip().splitlines()[0]}\n{cure}") from error
        if len(list(draft.parent.iterdir())) == 1:
            shutil.move(draft, target)
        else:
            import onnx   # one file of weights instead of one a weight
            onnx.save_model(onnx.load(str(draft)), str(target), save_as_external_data=True, all_tensors_to_one_file=True, location=target.name + ".data", size_threshold=1024)


def tell_extents(path, shape):
    """Writes the output's extents into the file. PyTorch forgets them behind some reshapes, and with them that a network has twice the channels."""
    try:
        import onnx
    except ImportError:
        return
    model = onnx.load(path, load_external_data=False)
    for told, extent in list(zip(model.graph.output[0].type.tensor_type.shape.dim, shape))[1:]:
        told.dim_value = extent
    onnx.save_model(model, path)


def difference(found, expected, what):
    """Largest difference of any sample, over that sample's largest magnitude."""
    found, expected = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (found, expected))
    off = (np.abs(found - expected).max(1) / np.abs(expected).max(1)).max()
    print(f"{what}: largest difference {off:.2g} of a sample's largest number; outputs up to {np.abs(expected).max():.3g}")
    if not off <= LIMIT:
        raise ExportError(f"{what}: that is more than {LIMIT:g}; the graph does not compute what the network does. An output of zeros only? A fresh network, then: use trained weights.")


def check_file(root, inputs, expected, path):
    """What can be found out about the file here."""
    weights = sorted(name for name, _ in root.named_parameters())
    try:
        import onnx
    except ImportError:
        print("onnx is not installed: names of weights and structure are not checked")
    else:
        onnx.checker.check_model(path)
        found = {initializer.name for initializer in onnx.load(path, load_external_data=False).graph.initializer}
        lost = [name for name in weights if name not in found]
        print(f"onnx {onnx.__version__} checks the file; {len(weights) - len(lost)} of {len(weights)} weights under their own names"
              + (f"; not used by the network's forward pass: {', '.join(lost)}" if lost else ""))
        if found - set(weights):
            raise ExportError(f"The file has weights that the network does not know: {', '.join(sorted(found - set(weights))[:8])}.")
    try:
        import onnxruntime
    except ImportError:
        print("onnxruntime is not installed: `onnxdistill import --check` will compare the recorded samples")
    else:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        difference(session.run(["output"], {name: tensor.numpy() for name, tensor in inputs.items()})[0], expected, f"ONNX Runtime {onnxruntime.__version__}")
