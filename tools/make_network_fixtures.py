#!/usr/bin/python3
"""The published networks' numbers, for tests/OnnxDistill.Tests/Networks/Fixtures.

Needs PyTorch and a checkout of NVlabs/edm (its code is not part of this repository). Usage:
    python3 tools/make_network_fixtures.py EDM_FOLDER tests/OnnxDistill.Tests/Networks/Fixtures

For each small configuration of a network: <name>-seed1.npz with
    weight/<name>   every parameter, random, in the released layout (and the Fourier frequencies, map_noise.freqs)
    x, sigma, label what the preconditioned network is fed (label only where there are classes)
    denoised        D(x; sigma), computed in float64
"""
import os
import sys

import numpy as np
import torch

CONFIGURATIONS = {
    "ddpmpp": ("SongUNet", 0, dict(model_channels=8, channel_mult=[1, 2], num_blocks=1, attn_resolutions=[8])),
    "ddpmpp-labels": ("SongUNet", 3, dict(model_channels=8, channel_mult=[2, 1], num_blocks=1, attn_resolutions=[16])),
    "ncsnpp": ("SongUNet", 0, dict(model_channels=8, channel_mult=[1, 2], num_blocks=1, attn_resolutions=[8], embedding_type="fourier",
                                   encoder_type="residual", channel_mult_noise=2, resample_filter=[1, 3, 3, 1])),
}


def main(edm, folder):
    sys.path.insert(0, edm)
    from training import networks
    os.makedirs(folder, exist_ok=True)
    for name, (model, labels, settings) in CONFIGURATIONS.items():
        torch.manual_seed(1)
        net = networks.EDMPrecond(16, 2, label_dim=labels, model_type=model, **settings).eval()
        inner = net.model
        arrays = {}
        for key, value in list(inner.named_parameters()) + [("map_noise.freqs", getattr(inner.map_noise, "freqs", None))]:
            if value is None:
                continue
            # Of their usual size and no zeros anywhere, so that every path counts; freqs stay as drawn.
            if key != "map_noise.freqs":
                scale = 1 / np.sqrt(value[0].numel()) if value.dim() > 1 else 0.3
                value.data = torch.randn_like(value) * scale + (1 if key.endswith(("norm0.weight", "norm1.weight", "norm2.weight", "aux_norm.weight")) else 0)
            arrays[f"weight/{key}"] = value.detach().numpy().astype(np.float32)
        x = torch.randn(3, 2, 16, 16)
        sigma = torch.tensor([0.01, 0.7, 40.0])
        arrays.update(x=x.numpy(), sigma=sigma.numpy())
        classes = None
        if labels:
            arrays["label"] = np.array([2, 0, labels], dtype=np.int64)   # the last one: no class
            classes = torch.zeros(3, labels, dtype=torch.float64)
            classes[0, 2] = classes[1, 0] = 1
        with torch.no_grad():
            arrays["denoised"] = in_double(net)(x.double(), sigma.double(), classes).numpy()
        np.savez(os.path.join(folder, f"{name}-seed1.npz"), **arrays)


def in_double(net):
    """The released wrapper casts to float32; the formula of its table 1 in double does not."""
    net = net.double()

    def denoise(x, sigma, classes):
        s, d = sigma.reshape(-1, 1, 1, 1), net.sigma_data
        f = net.model(x / (s ** 2 + d ** 2).sqrt(), sigma.log() / 4, class_labels=classes)
        return d ** 2 / (s ** 2 + d ** 2) * x + s * d / (s ** 2 + d ** 2).sqrt() * f
    return denoise


if __name__ == "__main__":
    main(*sys.argv[1:])
