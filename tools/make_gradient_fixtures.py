#!/usr/bin/python3
"""Whole networks and their gradients by PyTorch, for tests/OnnxDistill.Tests/Gradients/Fixtures.

Needs PyTorch 1.13 and onnx (Debian 12: apt-get install python3-torch python3-onnx). Usage:
    /usr/bin/python3 tools/make_gradient_fixtures.py tests/OnnxDistill.Tests/Gradients/Fixtures

For each network and seed: <name>-seed<k>.onnx as torch.onnx exports it in float32, and <name>-seed<k>.npz with
    input/<name>       what the network is fed (float32, or int64)
    cotangent/y        c, a standard normal tensor of the output's shape (float32)
    output/y           y, computed in float64
    gradient/<name>    d sum(c * y) / d <name>, computed in float64, for each float input and each parameter;
                       <name> is the name of the graph's input or initializer.
"""
import math
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

OPSET = 17


def timestep_embedding(t, channels):
    frequencies = torch.exp(torch.arange(channels // 2, dtype=t.dtype) * (-math.log(1000.0) / (channels // 2)))
    angles = t[:, None] * frequencies[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)


class UNetBlock(nn.Module):
    """GroupNorm, SiLU, convolution, twice; the timestep is added in between (DDPM) or scales and shifts (ADM)."""

    def __init__(self, inputs, outputs, embedding, scale_shift=False, resample=""):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(4, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.embed = nn.Linear(embedding, outputs * (2 if scale_shift else 1))
        self.norm2, self.conv2 = nn.GroupNorm(4, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.scale_shift, self.resample = scale_shift, resample

    def resized(self, x):
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2.0, mode="nearest") if self.resample == "up" else x

    def forward(self, x, embedding):
        h = self.conv1(self.resized(F.silu(self.norm1(x))))
        e = self.embed(F.silu(embedding))[:, :, None, None]
        if self.scale_shift:
            scale, shift = e.chunk(2, dim=1)
            h = F.silu(self.norm2(h) * (1 + scale) + shift)
        else:
            h = F.silu(self.norm2(h + e))
        return self.skip(self.resized(x)) + self.conv2(h)


class Attention2d(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm, self.qkv, self.out, self.heads = nn.GroupNorm(4, channels), nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1), heads

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n * self.heads, 3, c // self.heads, h * w).unbind(1)
        weights = torch.einsum("ncq,nck->nqk", q, k / math.sqrt(c // self.heads)).softmax(dim=2)
        return x + self.out(torch.einsum("nqk,nck->ncq", weights, v).reshape(n, c, h, w))


class UNet(nn.Module):
    """Two levels with attention in the lower one, skip connection, nearest-neighbour upsampling."""

    def __init__(self):
        super().__init__()
        self.time1, self.time2 = nn.Linear(8, 12), nn.Linear(12, 12)
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.enc, self.down = UNetBlock(8, 8, 12), nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.mid, self.attention = UNetBlock(8, 12, 12), Attention2d(12, 2)
        self.up, self.dec = nn.Conv2d(12, 8, 3, padding=1), UNetBlock(16, 8, 12)
        self.norm, self.head = nn.GroupNorm(4, 8), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x, t):
        e = self.time2(F.silu(self.time1(timestep_embedding(t, 8))))
        a = self.enc(self.stem(x), e)
        b = self.attention(self.mid(self.down(a), e))
        b = self.up(F.interpolate(b, scale_factor=2.0, mode="nearest"))
        return self.head(F.silu(self.norm(self.dec(torch.cat([b, a], dim=1), e))))


class AdmBlocks(nn.Module):
    """ADM's residual blocks: scale-shift normalisation, resampling inside the block."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 8, 3, padding=1)
        self.down, self.up = UNetBlock(8, 12, 10, True, "down"), UNetBlock(12, 8, 10, True, "up")
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x, embedding):
        return self.head(self.up(self.down(self.stem(x), embedding), embedding))


class DitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp1, self.mlp2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.modulation = nn.Linear(width, 6 * width)

    @staticmethod
    def normalized(x):  # spelt out: PyTorch 1.13 exports a LayerNorm without scale and bias as an invalid node
        centred = x - x.mean(dim=-1, keepdim=True)
        return centred / torch.sqrt((centred * centred).mean(dim=-1, keepdim=True) + 1e-6)

    @staticmethod
    def rotated(x):
        tokens, half = x.shape[2], x.shape[3] // 2
        angles = torch.arange(tokens, dtype=x.dtype)[:, None] * (10.0 ** (-torch.arange(half, dtype=x.dtype) / half))[None]
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], dim=-1)

    def forward(self, x, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(F.silu(c))[:, None].chunk(6, dim=-1)
        n, tokens, width = x.shape
        h = self.normalized(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).reshape(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = (self.rotated(q) @ self.rotated(k).transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(dim=-1)
        x = x + gate1 * self.out((weights @ v).transpose(1, 2).reshape(n, tokens, width))
        h = self.normalized(x) * (1 + scale2) + shift2
        return x + gate2 * self.mlp2(F.gelu(self.mlp1(h), approximate="tanh"))


class Dit(nn.Module):
    """Patches, two transformer blocks with rotary embedding and adaptive LayerNorm, classes, patches back."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 2, stride=2)
        self.time, self.classes = nn.Linear(8, width), nn.Embedding(5, width)
        self.block1, self.block2 = DitBlock(width, heads), DitBlock(width, heads)
        self.norm, self.modulation, self.head = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(width, 12)

    def forward(self, x, t, label):
        h = self.patches(x).flatten(2).transpose(1, 2)
        c = self.time(timestep_embedding(t, 8)) + self.classes(label)
        h = self.block2(self.block1(h, c), c)
        shift, scale = self.modulation(F.silu(c))[:, None].chunk(2, dim=-1)
        h = self.head(self.norm(h) * (1 + scale) + shift).reshape(x.shape[0], x.shape[2] // 2, x.shape[3] // 2, 2, 2, 3)
        return torch.einsum("nhwpqc->nchpwq", h).reshape(x.shape)


class Gan(nn.Module):
    """Transposed convolutions and batch normalisation, as in DCGAN."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.ConvTranspose2d(10, 12, 4, bias=False), nn.BatchNorm2d(12)
        self.conv2, self.norm2 = nn.ConvTranspose2d(12, 8, 4, stride=2, padding=1), nn.BatchNorm2d(8)
        self.conv3 = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.head = nn.Conv2d(4, 3, 5, padding=4, dilation=2)
        for norm in (self.norm1, self.norm2):  # statistics as a trained network has them
            norm.running_mean.normal_(std=0.2)
            norm.running_var.uniform_(0.2, 0.6)

    def forward(self, z):
        h = F.relu(self.norm1(self.conv1(z)))
        h = F.leaky_relu(self.norm2(self.conv2(h)), 0.2)
        return torch.tanh(self.head(F.leaky_relu(self.conv3(h), 0.2)))


class StyleGan(nn.Module):
    """Mapping network; convolutions whose weights are scaled by the style and normalised: one group a sample."""

    def __init__(self):
        super().__init__()
        self.map1, self.map2 = nn.Linear(8, 12), nn.Linear(12, 12)
        self.constant = nn.Parameter(torch.randn(1, 8, 4, 4))
        self.styles = nn.ModuleList([nn.Linear(12, 8), nn.Linear(12, 8)])
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(8, 8, 3, 3)) for _ in range(2)])
        self.biases = nn.ParameterList([nn.Parameter(torch.randn(8) * 0.1) for _ in range(2)])
        self.rgb = nn.Conv2d(8, 3, 1)

    def forward(self, z):
        w = z * torch.rsqrt((z * z).mean(dim=1, keepdim=True) + 1e-8)
        w = F.leaky_relu(self.map2(F.leaky_relu(self.map1(w), 0.2)), 0.2)
        n = z.shape[0]
        x = self.constant.repeat(n, 1, 1, 1)
        for style, weight, bias in zip(self.styles, self.weights, self.biases):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            modulated = weight[None] * (style(w) + 1)[:, None, :, None, None]
            modulated = modulated * torch.rsqrt((modulated * modulated).sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
            height, width = x.shape[2], x.shape[3]
            y = F.conv2d(x.reshape(1, n * 8, height, width), modulated.reshape(n * 8, 8, 3, 3), padding=1, groups=n)
            x = F.leaky_relu(y.reshape(n, 8, height, width) + bias[None, :, None, None], 0.2) * math.sqrt(2)
        return self.rgb(x)


# name: network, its inputs, whether it is in training mode
NETWORKS = {
    "unet": (UNet, lambda: {"x": torch.randn(2, 3, 8, 8), "t": torch.rand(2) * 100}, False),
    "adm": (AdmBlocks, lambda: {"x": torch.randn(2, 2, 8, 8), "embedding": torch.randn(2, 10)}, False),
    "dit": (Dit, lambda: {"x": torch.randn(2, 3, 8, 8), "t": torch.rand(2) * 100, "label": torch.tensor([3, 0])}, False),
    "gan": (Gan, lambda: {"z": torch.randn(3, 10, 1, 1)}, False),
    "gan-training": (Gan, lambda: {"z": torch.randn(3, 10, 1, 1)}, True),
    "stylegan": (StyleGan, lambda: {"z": torch.randn(3, 8)}, False),
}


def make(name, seed, folder):
    network_type, draw, training = NETWORKS[name]
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float32)
    network = network_type().train(training)
    for parameter in network.parameters():  # no zeros and ones: a gradient that forgets a factor must show
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    inputs = draw()
    path = os.path.join(folder, f"{name}-seed{seed}")
    state = {key: value.clone() for key, value in network.state_dict().items()}
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(network, tuple(inputs.values()), path + ".onnx", opset_version=OPSET, do_constant_folding=False, training=mode,
                      input_names=list(inputs), output_names=["y"])

    torch.set_default_dtype(torch.float64)
    network.load_state_dict(state)
    network = network.double().train(training)
    doubles = {key: value.double().requires_grad_() if value.is_floating_point() else value for key, value in inputs.items()}
    y = network(**doubles)
    cotangent = torch.randn(y.shape, dtype=torch.float32)
    wanted = {**{key: value for key, value in doubles.items() if value.is_floating_point()}, **dict(network.named_parameters())}
    gradients = torch.autograd.grad((cotangent.double() * y).sum(), list(wanted.values()))
    arrays = {f"input/{key}": value.numpy() for key, value in inputs.items()}
    arrays |= {"cotangent/y": cotangent.numpy(), "output/y": y.detach().numpy()}
    arrays |= {f"gradient/{key}": gradient.numpy() for key, gradient in zip(wanted, gradients)}
    np.savez_compressed(path + ".npz", **{key: np.ascontiguousarray(array) for key, array in arrays.items()})


if __name__ == "__main__":
    target = sys.argv[1]
    os.makedirs(target, exist_ok=True)
    for network_name in NETWORKS:
        for network_seed in (1, 2):
            make(network_name, network_seed, target)
