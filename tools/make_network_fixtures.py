#!/usr/bin/python3
"""The published networks' numbers, for tests/OnnxDistill.Tests/Networks/Fixtures.

Needs PyTorch, timm, and checkouts of NVlabs/edm and facebookresearch/DiT (their code is not part of this repository). Usage:
    python3 tools/make_network_fixtures.py EDM_FOLDER DIT_FOLDER tests/OnnxDistill.Tests/Networks/Fixtures

For each small configuration of a network: <name>-seed1.npz with
    weight/<name>   every parameter, random, in the released layout (and the Fourier frequencies, map_noise.freqs)
    x, sigma, label what the preconditioned network is fed (label only where there are classes)
    augment         augmentation labels, where it takes them
    denoised        D(x; sigma), computed in float64
"""
import os
import sys

import numpy as np
import torch

CONFIGURATIONS = {
    "ddpmpp": ("SongUNet", 0, dict(model_channels=8, channel_mult=[1, 2], num_blocks=1, attn_resolutions=[8])),
    "ddpmpp-labels": ("SongUNet", 3, dict(model_channels=8, channel_mult=[2, 1], num_blocks=1, attn_resolutions=[16])),
    "adm": ("DhariwalUNet", 3, dict(model_channels=8, channel_mult=[1, 2], num_blocks=1, attn_resolutions=[8])),
    "ddpmpp-augment": ("SongUNet", 0, dict(model_channels=8, channel_mult=[1], num_blocks=1, attn_resolutions=[], augment_dim=9)),
    "adm-augment": ("DhariwalUNet", 0, dict(model_channels=8, channel_mult=[1], num_blocks=1, attn_resolutions=[], augment_dim=9)),
    "dit": ("DiT", 3, dict(input_size=16, patch_size=2, in_channels=2, hidden_size=24, depth=2, num_heads=2, num_classes=3, learn_sigma=False)),
    "ncsnpp": ("SongUNet", 0, dict(model_channels=8, channel_mult=[1, 2], num_blocks=1, attn_resolutions=[8], embedding_type="fourier",
                                   encoder_type="residual", channel_mult_noise=2, resample_filter=[1, 3, 3, 1])),
}


def main(edm, dit, folder):
    sys.path[:0] = [edm, dit]
    import models
    from training import networks

    class NarrowHeads(networks.UNetBlock):   # ADM's heads have 64 channels, more than these small networks have in all
        def __init__(self, **settings):
            super().__init__(**{**settings, "channels_per_head": 8})
    networks.UNetBlock = NarrowHeads
    embedding = models.TimestepEmbedder.timestep_embedding
    models.TimestepEmbedder.timestep_embedding = staticmethod(lambda t, width: embedding(t, width).double())
    os.makedirs(folder, exist_ok=True)
    for name, (model, labels, settings) in CONFIGURATIONS.items():
        torch.manual_seed(1)
        inner = (models.DiT(**settings) if model == "DiT" else getattr(networks, model)(16, 2, 2, label_dim=labels, **settings)).eval()
        arrays = {}
        for key, value in list(inner.named_parameters()) + [("map_noise.freqs", getattr(getattr(inner, "map_noise", None), "freqs", None))]:
            if value is None or key == "pos_embed":
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
        extra = {}
        if "augment_dim" in settings:
            arrays["augment"] = torch.randn(3, 9).numpy()
            extra["augment_labels"] = torch.tensor(arrays["augment"]).double()
        inner = inner.double()
        # DiT's time embedding is float32 whatever the network is.
        raw = (lambda z, c: inner(z, 1000 * c, torch.tensor(arrays["label"]))) if model == "DiT" else (lambda z, c: inner(z, c, classes, **extra))
        with torch.no_grad():
            arrays["denoised"] = preconditioned(raw, x.double(), sigma.double()).numpy()
        np.savez(os.path.join(folder, f"{name}-seed1.npz"), **arrays)


def preconditioned(raw, x, sigma, d=0.5):
    """Karras et al. 2022, table 1, in double, which the released wrapper is not."""
    s = sigma.reshape(-1, 1, 1, 1)
    f = raw(x / (s ** 2 + d ** 2).sqrt(), sigma.log() / 4)
    return d ** 2 / (s ** 2 + d ** 2) * x + s * d / (s ** 2 + d ** 2).sqrt() * f


if __name__ == "__main__":
    main(*sys.argv[1:])
