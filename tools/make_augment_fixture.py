#!/usr/bin/python3
"""What EDM's released augmentation makes of given draws, for tests/OnnxDistill.Tests/Methods/Fixtures.

Needs PyTorch and a checkout of NVlabs/edm (its code is not part of this repository). Usage:
    python3 tools/make_augment_fixture.py EDM_FOLDER tests/OnnxDistill.Tests/Methods/Fixtures

augment-seed1.npz has
    images           [N, C, H, W], random
    uniform, normal  the draws, in the order of AugmentPipe's inputs
    augmented        what comes out at a probability of 0.6, computed in float32 as released
    labels           [N, 9]
"""
import os
import sys

import numpy as np
import torch

PROBABILITY = 0.6
# The release asks for its uniform numbers one transformation after the other: the choice after the value, as AugmentPipe's columns are.
UNIFORM_ORDER = [1, 3, 4, 5, 6, 7, 8, 9, 10]
FLIP_COLUMNS = [0, 2]


def main(edm, folder):
    sys.path.insert(0, edm)
    from training.augment import AugmentPipe

    torch.manual_seed(1)
    count, channels, height, width = 12, 2, 12, 16
    images = torch.randn(count, channels, height, width)
    uniform, normal = torch.rand(count, 11), torch.randn(count, 4)
    uniforms, flips = iter(UNIFORM_ORDER), iter(FLIP_COLUMNS)
    normals = iter([normal[:, 0], normal[:, 1], normal[:, 2:].t()])
    pipe = AugmentPipe(p=PROBABILITY, xflip=1e8, yflip=1, scale=1, rotate_frac=1, aniso=1, translate_frac=1)
    # Draws in the place of torch's own.
    torch.rand = lambda shape, device=None: uniform[:, next(uniforms)].reshape(shape)
    torch.randint = lambda high, shape, device=None: (uniform[:, next(flips)] * high).floor().to(torch.int64).reshape(shape)
    torch.randn = lambda shape, device=None: next(normals).reshape(shape)
    augmented, labels = pipe(images)
    os.makedirs(folder, exist_ok=True)
    np.savez(os.path.join(folder, "augment-seed1.npz"), images=images.numpy(), uniform=uniform.numpy(), normal=normal.numpy(), augmented=augmented.numpy(),
             labels=labels.numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
