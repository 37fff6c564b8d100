#!/usr/bin/env python3
"""Writes a diffusion network of PyTorch as an ONNX file that `onnxdistill import` takes, with recorded samples for its --check.

    export_teacher.py edm       SNAPSHOT.pkl      -o net.onnx --repository EDM_CHECKOUT
    export_teacher.py diffusers FOLDER            -o net.onnx [--context PROMPTS.npy]
    export_teacher.py module    FILE.py:CLASS     -o net.onnx --shape 4,32,32 --prediction eps --schedule ddpm ...

Needs torch and numpy; diffusers for its folders. Where onnx and onnxruntime are installed, they check the file. export_teacher.md
(beside this folder) explains every step and lists the failures that were met, with their cures.
"""
import argparse
import dataclasses
import importlib.util
import json
import pathlib
import pickle
import shlex
import sys

import numpy as np
import torch

from teacher_graph import TRACED_BATCH, ExportError, Root, check_file, difference, fix_tables, tell_extents, traceable_operators, write

RECORDED = 6   # samples, a batch other than the traced one
OTHERS = "Write a class that calls it as network(x, t[, label]) and use 'module'."


@dataclasses.dataclass
class Teacher:
    """A network and everything that the file alone would not tell."""
    network: torch.nn.Module
    inputs: dict                    # name -> tensor [RECORDED, ...]: sample first, time second, then labels or context
    flags: dict                     # of `onnxdistill import`, by name
    call: object                    # called with the inputs by position


# ---- NVlabs/edm

def edm(options):
    """The raw network F inside a wrapper of NVlabs/edm; the wrapper itself becomes flags of the import."""
    try:
        with open(options.source, "rb") as file:
            content = pickle.load(file)
    except pickle.UnpicklingError as error:
        raise ExportError(f"{options.source} is no pickle: {error}.") from error
    if not isinstance(content, dict) or "ema" not in content:
        found = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ExportError(f"{options.source} should hold the key 'ema' (network-snapshot-*.pkl), found: {found}. A training-state-*.pt is the network in training, not its average.")
    net = content["ema"].float().eval()
    flags, c_in, c_noise = edm_wrapper(net)
    low, high = max(float(net.sigma_min), 0.002), min(float(net.sigma_max), 80.0)
    sigma = torch.logspace(np.log10(low), np.log10(high), RECORDED)
    noise = torch.randn(RECORDED, 2, net.img_channels, net.img_resolution, net.img_resolution)
    scale = sigma.reshape(-1, 1, 1, 1)
    inputs = {"x": c_in(scale) * (0.5 * noise[:, 0] + scale * noise[:, 1]), "t": c_noise(sigma)}
    if net.label_dim:
        null = net.label_dim if net.model.label_dropout else -1   # a row of zeros, where training has shown it any
        inputs["label"] = torch.eye(net.label_dim + 1)[label_indices(net.label_dim, null), :-1]
        flags |= label_flags(net.label_dim, null)
    return Teacher(net.model, inputs, flags, call=lambda x, t, label=None: net.model(x, t, label))   # augment_labels left out: no augmentation


def edm_wrapper(net):
    """Flags, input scale and time of a wrapper at noise levels sigma (training/networks.py of NVlabs/edm)."""
    def schedule(name, **usual):   # parameters where they are not the usual ones
        changed = [f"{key}={getattr(net, key):g}" for key, value in usual.items() if abs(getattr(net, key) - value) > 1e-6 * value]
        return {"schedule": name + (":" + ",".join(changed) if changed else "")}
    preserving = lambda sigma: 1 / (sigma ** 2 + 1).sqrt()
    kind = type(net).__name__
    if kind == "EDMPrecond":
        return {"prediction": "edm", "sigma-data": f"{net.sigma_data:g}"}, lambda s: 1 / (net.sigma_data ** 2 + s ** 2).sqrt(), lambda s: s.log() / 4
    if kind == "VPPrecond":
        scale = {} if net.M == 1000 else {"time-scale": net.M - 1}
        return {"prediction": "eps"} | schedule("vp", beta_min=0.1, beta_d=19.9) | scale, preserving, lambda s: (net.M - 1) * net.sigma_inv(s)
    if kind == "VEPrecond":
        return {"prediction": "scaled-score"} | schedule("ve", sigma_min=0.02, sigma_max=100), lambda s: 1, lambda s: (0.5 * s).log()
    if kind == "iDDPMPrecond" and (net.C_1, net.C_2) == (0.001, 0.008):
        table = {"schedule": "iddpm" if net.M == 1000 else f"iddpm:steps={net.M}", "time": "step"}
        return {"prediction": "eps"} | table, preserving, lambda s: net.M - 1 - net.round_sigma(s, return_index=True).float()
    raise ExportError(f"The pickle's network is wrapped in {kind}; known are EDMPrecond, VPPrecond, VEPrecond and iDDPMPrecond with its usual constants. {OTHERS}")


# ---- diffusers

def diffusers(options):
    """A pipeline's folder (model_index.json) or a model's own (config.json), with its scheduler's configuration."""
    folder = pathlib.Path(options.source)
    places = [folder / options.component] if options.component else [folder / "unet", folder / "transformer", folder]
    place = next((p for p in places if (p / "config.json").is_file()), None)
    if place is None:
        raise ExportError(f"No config.json in {', '.join(map(str, places))}. SOURCE is a folder that save_pretrained wrote; another part is named with --component.")
    name = json.loads((place / "config.json").read_text()).get("_class_name", "")
    if name not in ("UNet2DModel", "UNet2DConditionModel", "DiTTransformer2DModel", "Transformer2DModel"):
        raise ExportError(f"{place} holds a {name or 'model without a class name'}; known are UNet2DModel, UNet2DConditionModel, DiTTransformer2DModel and Transformer2DModel. {OTHERS}")
    import diffusers as library
    net = getattr(library, name).from_pretrained(str(place)).float().eval()
    config = net.config
    more = [key for key in ("addition_embed_type", "class_embed_type") if getattr(config, key, None)]
    if more:
        raise ExportError(f"{place} is told more than a time and a class index or a prompt: {', '.join(more)} (as SDXL's). {OTHERS}")
    size = config.sample_size
    if not options.shape and not size:
        raise ExportError(f"{place} does not tell the size of its samples: give --shape CHANNELS,HEIGHT,WIDTH.")
    shape = options.shape or [config.in_channels, *([size, size] if isinstance(size, int) else size)]
    flags, times = ({}, None) if options.prediction else scheduler_flags(options.scheduler or place.parent / "scheduler" / "scheduler_config.json")
    if shape[0] not in (1, 3):   # latents have no range; their scaling factor makes their variance about 1
        flags |= {"range": "free", "sigma-data": 1}
    inputs = {"x": torch.randn(RECORDED, *shape), "t": recorded_times(options.times or times or [0.0, 1, 10, 100, 500, 999])}
    call = lambda x, t, label=None: net(x, t, class_labels=label).sample
    if name == "UNet2DConditionModel":
        inputs["encoder_hidden_states"], more = context_flags(options, config)
        return Teacher(net, inputs, flags | more, call=lambda x, t, context: net(x, t, encoder_hidden_states=context).sample)
    if name == "UNet2DModel":
        classes, null = config.num_class_embeds or 0, -1
    else:
        classes = null = config.num_embeds_ada_norm    # DiT: the index after the last class is "no class"
        call = lambda x, t, label: net(x, timestep=t, class_labels=label).sample
    return Teacher(net, inputs | index_labels(classes, null), flags | label_flags(classes, null), call=call)


def scheduler_flags(path):
    """Flags of the import and times to record, from scheduler_config.json."""
    if not pathlib.Path(path).is_file():
        raise ExportError(f"No scheduler at {path}: name its scheduler_config.json with --scheduler, or tell --prediction (and --schedule, --times).")
    config = json.loads(pathlib.Path(path).read_text())
    kind, steps, betas = config.get("_class_name", ""), config.get("num_train_timesteps", 1000), config.get("beta_schedule", "linear")
    times = [float(round(part * (steps - 1))) for part in (0, 0.01, 0.1, 0.3, 0.7, 1)]
    if "FlowMatch" in kind:
        return {"prediction": "flow", "time-scale": steps}, times
    if kind == "ScoreSdeVeScheduler":
        low, high = config.get("sigma_min", 0.01), config.get("sigma_max", 1348.0)
        return {"prediction": "score", "schedule": f"ve:sigma_min={low:g},sigma_max={high:g}"}, [low, 0.1, 1.0, 5.0, 50.0, high]
    prediction = {"epsilon": "eps", "v_prediction": "v", "sample": "x0"}.get(config.get("prediction_type", "epsilon"))
    known = {"linear": "ddpm:beta_start=0.0001,beta_end=0.02", "scaled_linear": "scaled-linear:beta_start=0.00085,beta_end=0.012", "squaredcos_cap_v2": "cosine:"}
    if not prediction or betas not in known or "beta_schedule" not in config or config.get("trained_betas") is not None or config.get("rescale_betas_zero_snr"):
        raise ExportError(f"{path} ({kind}) is a noise schedule that this script does not know. Write its alphas_cumprod with numpy.save and tell --prediction and --schedule table:FILE.npy.")
    name, _, usual = known[betas].partition(":")
    told = [f"{key}={config.get(key, default):g}" for key, default in (("beta_start", 1e-4), ("beta_end", 0.02)) if usual]
    changed = [part for part in told if part not in usual.split(",")] + ([] if steps == 1000 else [f"steps={steps}"])
    return {"prediction": prediction, "schedule": name + (":" + ",".join(changed) if changed else "")}, times


def context_flags(options, config):
    """Prompts as recorded hidden states: one becomes a constant, several become classes."""
    if not options.context:
        raise ExportError("UNet2DConditionModel takes a prompt. Save the text encoder's output with numpy.save, [TOKENS, WIDTH] for one prompt or [PROMPTS, TOKENS, WIDTH] for several "
                          "that become classes, and give it with --context FILE.npy (--null-context when the last one is the empty prompt).")
    table = np.load(options.context).astype(np.float32)
    table = table[None] if table.ndim == 2 else table
    if table.ndim != 3 or table.shape[2] != config.cross_attention_dim:
        raise ExportError(f"--context {options.context} has the shape {list(table.shape)}, expected [PROMPTS, TOKENS, {config.cross_attention_dim}].")
    count = len(table) - bool(options.null_context)
    rows = torch.from_numpy(table)[label_indices(count, len(table) - 1 if options.null_context else -1)]
    if len(table) == 1:
        return rows, {"constant": f"encoder_hidden_states={options.context}"}
    return rows, {"label-input": "encoder_hidden_states", "class-table": options.context} | label_flags(count, count if options.null_context else -1)


# ---- any module

def module(options):
    """A class, or a function that makes a network, of a Python file, called as network(x, t[, label])."""
    path, _, name = options.source.rpartition(":")
    if not path or not pathlib.Path(path).is_file():
        raise ExportError(f"SOURCE should be FILE.py:CLASS, found '{options.source}'.")
    missing = [f"--{name}" for name in ("shape", "prediction", "times") if not getattr(options, name)]
    if missing:
        raise ExportError(f"A plain module does not tell {', '.join(missing)}: give them.")
    sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    code = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    if not hasattr(code, name):
        raise ExportError(f"{path} has no '{name}'.")
    net = getattr(code, name)(**json.loads(options.arguments))
    if options.random_weights:
        for parameter in net.parameters():   # zeros would hide whole branches
            parameter.data += torch.randn_like(parameter) / max(1, parameter[0].numel()) ** 0.5 if parameter.dim() > 1 else 0.2 * torch.randn_like(parameter)
    else:
        load_weights(net, options)
    net = net.float().eval()
    inputs = {"x": torch.randn(RECORDED, *options.shape), "t": recorded_times(options.times)}
    first = lambda output: output if isinstance(output, torch.Tensor) else output.sample if hasattr(output, "sample") else output[0]
    flags = {} if options.shape[0] in (1, 3) or len(options.shape) != 3 else {"range": "free"}
    return Teacher(net, inputs | index_labels(options.labels, options.null_label), flags | label_flags(options.labels, options.null_label), call=lambda *tensors: first(net(*tensors)))


def load_weights(net, options):
    if not options.checkpoint:
        raise ExportError("The weights would be those of a fresh network: give --checkpoint FILE, or --random-weights to try the way out.")
    if options.checkpoint.endswith(".safetensors"):
        from safetensors.torch import load_file
        state = load_file(options.checkpoint)
    else:
        state = torch.load(options.checkpoint, map_location="cpu")
    found = [key for key in ([options.checkpoint_key] if options.checkpoint_key else ["ema", "state_dict", "model"]) if isinstance(state.get(key), dict)]
    if options.checkpoint_key and not found:
        raise ExportError(f"{options.checkpoint} has no '{options.checkpoint_key}'; it has: {', '.join(list(state)[:10])}.")
    if found:
        print(f"weights: '{found[0]}' of {options.checkpoint}")
        state = state[found[0]]
    try:
        net.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    except RuntimeError as error:
        raise ExportError(f"{options.checkpoint} does not fit the network: {error}") from error


# ---- all three

def recorded_times(times):
    return torch.tensor(times)[torch.arange(RECORDED) % len(times)]


def label_indices(classes, null):
    """Labels to record: classes from both ends, the null label last."""
    indices = torch.arange(RECORDED) * 7 % max(classes, 1)
    indices[-1] = null if null >= 0 else indices[-1]
    return indices


def index_labels(classes, null):
    return {"label": label_indices(classes, null)} if classes else {}


def label_flags(classes, null):
    return ({"labels": classes} if classes else {}) | ({"null-label": null} if classes and null >= 0 else {})


def export(options):
    torch.manual_seed(options.seed)
    teacher = {"edm": edm, "diffusers": diffusers, "module": module}[options.kind](options)
    inputs = {name: tensor.contiguous() for name, tensor in teacher.inputs.items()}
    with torch.no_grad():
        expected = teacher.call(*inputs.values()).numpy()   # before anything is replaced
    tables = fix_tables(teacher.network)
    root = Root(teacher.network, teacher.call)
    with traceable_operators(), torch.no_grad():
        difference(root(*inputs.values()), expected, "replaced operators against the network's own")
        write(root, inputs, options.output, options.opset)
    tell_extents(options.output, expected.shape)
    target = pathlib.Path(options.output)
    samples = options.samples or str(target.with_suffix(".npz"))
    np.savez(samples, output=expected, **{name: tensor.numpy() for name, tensor in inputs.items()})
    size = sum(p.numel() for p in root.parameters())
    print(f"{target}: {size:,} numbers in weights, {tables} tables as constants, opset {options.opset}, traced with batch {TRACED_BATCH} by PyTorch {torch.__version__}")
    print(f"{samples}: {RECORDED} recorded samples: " + ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in inputs.items()))
    check_file(root, inputs, expected, options.output)
    flags = teacher.flags
    if options.prediction:   # what was told takes the place of what was deduced
        told = {name: getattr(options, name) for name in ("prediction", "schedule", "time") if getattr(options, name)}
        flags = told | {name: value for name, value in flags.items() if name not in ("prediction", "schedule", "time", "time-scale")}
    line = ["onnxdistill", "import", target, "-o", target.with_name(target.stem + "-teacher.onnx"), *(part for name, value in flags.items() for part in (f"--{name}", value)), "--check", samples]
    print("\nNow run:\n" + shlex.join(map(str, line)))


class Help(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):
        return super()._get_help_string(action) if action.default or action.default == 0 else action.help


def main():
    numbers, extents = (lambda text: [float(part) for part in text.split(",")]), (lambda text: [int(part) for part in text.split(",")])
    shape = dict(type=extents, metavar="C,H,W", help="extents of one sample; for diffusers as the configuration says when left out")
    times = dict(type=numbers, metavar="T,T,...", help="times to record at, as the network is told them; for diffusers six of the scheduler's when left out")
    # LayerNorm is one operator from 17 on, which PyTorch 1.x writes wrongly; OnnxDistill brings every opset to its own 18.
    opset = 17 if int(torch.__version__.split(".")[0]) >= 2 else 16
    every = {
        "--output": dict(required=True, metavar="FILE.onnx", help="file to write"),
        "--samples": dict(metavar="FILE.npz", help="recorded samples; beside the output when left out"),
        "--opset": dict(type=int, default=opset, metavar="N", help="operator set of the file"),
        "--seed": dict(type=int, default=0, metavar="N", help="of the recorded samples"),
        "--repository": dict(action="append", default=[], metavar="PATH", help="folder to import Python modules from; may be repeated"),
        "--prediction": dict(metavar="NAME", help="for the printed line, instead of what was deduced: see onnxdistill import --help"),
        "--schedule": dict(metavar="NAME", help="likewise, together with --prediction"),
        "--time": dict(metavar="NAME", help="likewise, together with --prediction"),
    }
    kinds = {
        "edm": ("network-snapshot-*.pkl of NVlabs/edm", {}),
        "diffusers": ("folder that save_pretrained wrote: a pipeline's or a model's", {
            "--shape": shape, "--times": times,
            "--component": dict(metavar="NAME", help="part of the pipeline; unet or transformer when left out"),
            "--scheduler": dict(metavar="FILE", help="scheduler_config.json; the pipeline's own when left out"),
            "--context": dict(metavar="FILE.npy", help="encoder_hidden_states of UNet2DConditionModel, [TOKENS, WIDTH] or [PROMPTS, TOKENS, WIDTH]"),
            "--null-context": dict(action="store_true", help="the last prompt of --context is the empty one")}),
        "module": ("FILE.py:CLASS, called as network(x, t[, label])", {
            "--shape": shape, "--times": times,
            "--arguments": dict(default="{}", metavar="JSON", help="named arguments of the class"),
            "--checkpoint": dict(metavar="FILE", help="state_dict, .pt or .safetensors"),
            "--checkpoint-key": dict(metavar="NAME", help="entry of the checkpoint; ema, state_dict or model when left out"),
            "--random-weights": dict(action="store_true", help="no checkpoint: numbers of --seed, to try the way out"),
            "--labels": dict(type=int, default=0, metavar="N", help="classes, without a null class; 0 for none"),
            "--null-label": dict(type=int, default=-1, metavar="N", help="index that means no class; -1 for none")}),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chosen = parser.add_subparsers(dest="kind", required=True, metavar="{edm,diffusers,module}")
    for kind, (source, own) in kinds.items():
        sub = chosen.add_parser(kind, help=source, formatter_class=Help)
        sub.add_argument("source", help=source)
        for name, settings in (every | own).items():
            sub.add_argument(*(["-o", name] if name == "--output" else [name]), **settings)
    options = parser.parse_args()
    sys.path[:0] = options.repository
    try:
        if not pathlib.Path(options.output).resolve().parent.is_dir():
            raise ExportError(f"There is no folder for {options.output}.")
        export(options)
    except (ExportError, OSError) as error:
        print(f"export_teacher: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"export_teacher: {options.source} needs the Python module '{error.name}': install it, or name the checkout that holds it with --repository PATH.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
