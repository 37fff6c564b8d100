#!/usr/bin/python3
"""What NVlabs' wrappers make of a raw network, for tests/OnnxDistill.Tests/Teachers/Fixtures.

Needs PyTorch, onnx and a checkout of NVlabs/edm (its code is not part of this repository). Usage:
    python3 tools/make_teacher_fixtures.py EDM_FOLDER tests/OnnxDistill.Tests/Teachers/Fixtures

One small SongUNet with random weights, written by export_teacher.py: song-unet-seed3.onnx as the wrappers EDM, VP and VE hold it, and
song-unet-variance-seed3.onnx with twice the channels, as the wrapper iDDPM does. wrappers-seed3.npz holds for each of them
    <wrapper>/x, sigma, label    what the wrapper is fed; label 3 is a row of zeros, "no class"
    <wrapper>/denoised           D(x; sigma) as the wrapper's own class computes it, in float32
"""
import pathlib
import pickle
import subprocess
import sys
import tempfile

import numpy as np
import torch

SEED, SIZE, CHANNELS, LABELS = 3, 8, 2, 3
NETWORK = dict(model_type="SongUNet", model_channels=8, channel_mult=[1], num_blocks=1, attn_resolutions=[8], channel_mult_emb=2, label_dropout=0.1)
# Levels that every wrapper has seen; iDDPM's are put on its table, as its sampler does.
SIGMAS = [0.03, 0.2, 0.7, 3.0, 20.0, 70.0]


def randomize(network):
    torch.manual_seed(SEED)
    for name, value in network.named_parameters():
        # Of their usual size and no zeros anywhere, so that every path counts.
        value.data = torch.randn_like(value) / value[0].numel() ** 0.5 if value.dim() > 1 else 0.3 * torch.randn_like(value) + float("norm" in name and "weight" in name)


def main(edm, folder):
    sys.path.insert(0, edm)
    from training import networks
    arrays, weights = {}, None
    with tempfile.TemporaryDirectory() as scratch:
        for wrapper in ("EDMPrecond", "VPPrecond", "VEPrecond", "iDDPMPrecond"):
            net = getattr(networks, wrapper)(img_resolution=SIZE, img_channels=CHANNELS, label_dim=LABELS, **NETWORK).eval().requires_grad_(False)
            randomize(net.model)
            name = wrapper.removesuffix("Precond").lower()
            if wrapper in ("EDMPrecond", "iDDPMPrecond"):
                snapshot = pathlib.Path(scratch) / f"{name}.pkl"
                snapshot.write_bytes(pickle.dumps({"ema": net}))
                target = pathlib.Path(folder) / f"song-unet{'-variance' if name == 'iddpm' else ''}-seed{SEED}.onnx"
                subprocess.run([sys.executable, pathlib.Path(__file__).with_name("export_teacher.py"), "edm", snapshot, "-o", target,
                                "--samples", snapshot.with_suffix(".npz"), "--repository", edm], check=True)
            else:
                assert all(torch.equal(value, weights[key]) for key, value in net.model.state_dict().items())   # one file serves all three
            weights = net.model.state_dict()
            sigma = net.round_sigma(torch.tensor(SIGMAS))
            label = torch.tensor([2, 0, LABELS, 1, LABELS, 2])
            torch.manual_seed(SEED + 1)
            x = 0.5 * torch.randn(len(SIGMAS), CHANNELS, SIZE, SIZE) + sigma.reshape(-1, 1, 1, 1) * torch.randn(len(SIGMAS), CHANNELS, SIZE, SIZE)
            with torch.no_grad():
                denoised = net(x, sigma, torch.eye(LABELS + 1)[label, :LABELS])
            for key, value in dict(x=x, sigma=sigma, label=label, denoised=denoised).items():
                arrays[f"{name}/{key}"] = value.numpy()
    np.savez_compressed(pathlib.Path(folder) / f"wrappers-seed{SEED}.npz", **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
