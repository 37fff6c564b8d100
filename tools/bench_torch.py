#!/usr/bin/env python3
"""The workloads of tools/OnnxDistill.Bench in plain PyTorch (1.13 or newer), for people who have it installed anyway.

    dotnet run --project tools/OnnxDistill.Bench -c Release -- --export weights
    python3 tools/bench_torch.py weights [--workload NAME] [--seconds S] [--threads N]

Every network first has to reproduce a batch that OnnxDistill denoised; then times count. Prints the median time of an iteration, and images a second
for sampling. Debian's own PyTorch multiplies matrices with a slow BLAS: the honest opponent is a libtorch of pytorch.org, as in tools/OnnxDistill.Bench.
"""
import argparse
import copy
import math
import os
import statistics
import time

import numpy as np
import torch
from torch.nn import functional as F

TOLERANCE = 1e-4  # float32 rounding through some dozen layers leaves 1e-6; a wrong term is 1e-2 and more
STEPS = 18  # of EDM's sampler


def attention(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v)
    return ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).softmax(-1) @ v


class Denoiser:
    """D(x; sigma) = skip x + out F(in x, noise): parameters by OnnxDistill's names, settings of the recipe."""

    def __init__(self, arrays):
        self.settings = {k[len("setting/"):]: float(v[0]) for k, v in arrays.items() if k.startswith("setting/")}
        self.reference = {k[len("reference/"):]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith("reference/")}
        weights = {k: torch.from_numpy(v) for k, v in arrays.items() if not k.startswith(("setting/", "reference/"))}
        self.p = {k: v.t().contiguous() if self.is_turned(k) else v for k, v in weights.items()}
        self.labels = 10 if "label" in self.reference else 0
        self.shape = list(self.reference["x"].shape[1:])

    def is_turned(self, name):
        return False

    def coefficients(self, sigma):
        """EDM's preconditioning."""
        sd = self.settings["sigma_data"]
        total = sigma ** 2 + sd ** 2
        return total.rsqrt(), sd ** 2 / total, sigma * sd * total.rsqrt(), sigma.log() * 0.25

    def __call__(self, x, sigma, label=None):
        scale_in, skip, out, noise = self.coefficients(sigma)
        return torch.addcmul(skip * x, out, self.network(scale_in * x, noise, label))

    def linear(self, name, x):
        return F.linear(x, self.p[f"{name}.weight"], self.p.get(f"{name}.bias"))

    def require_grad(self, on):
        for value in self.p.values():
            value.requires_grad_(on)

    def per_sample(self, sigma):
        return sigma.reshape(-1, *[1] * len(self.shape))

    def check(self):
        r = self.reference
        with torch.no_grad():
            found = self(r["x"], self.per_sample(r["sigma"]), r.get("label"))
        error = ((found - r["denoised"]).norm() / r["denoised"].norm()).item()
        if not error < TOLERANCE:
            raise SystemExit(f"{type(self).__name__} differs from OnnxDistill by {error:.1e}: nothing to report.")
        return error


class Mlp(Denoiser):
    def is_turned(self, name):
        return name.endswith(".weight")

    def network(self, x, noise, label):
        h = torch.cat([x, noise.expand_as(x)], 1)
        layers = [k[:-len(".weight")] for k in self.p if k.endswith(".weight")]
        for name in layers[:-1]:
            h = F.silu(self.linear(name, h))
        return self.linear(layers[-1], h)


class Dit(Denoiser):
    """The transformer of the shared data; weights of products have the exporter's numbers."""

    def is_turned(self, name):
        return name.startswith("onnx::MatMul_")

    def coefficients(self, sigma):
        """A rectified flow's: t = sigma/(1 + sigma)."""
        shrink = 1 / (1 + sigma)
        return shrink, shrink, -sigma * shrink, sigma * shrink

    def network(self, x, noise, label):
        p = self.p
        for layer, scale, shift in (0, 793, 794), (3, 795, 796):
            x = F.silu(F.conv2d(x, p[f"model.init_conv_seq.{layer}.weight"], p[f"model.init_conv_seq.{layer}.bias"], padding=2))
            x = F.group_norm(x, 32, p[f"onnx::Mul_{scale}"].flatten(), p[f"onnx::Add_{shift}"].flatten())
        x = x.reshape(-1, 32, 16, 2, 16, 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, 256, 128)
        x = F.linear(x, p["onnx::MatMul_799"], p["model.x_embedder.bias"])
        angles = noise.reshape(-1, 1) * torch.exp(torch.arange(128) * (-math.log(10000) / 128))
        t = self.linear("model.t_embedder.mlp.2", F.silu(self.linear("model.t_embedder.mlp.0", torch.cat([angles.cos(), angles.sin()], 1))))
        c = F.silu(t + F.embedding(label, p["model.y_embedder.embedding_table.weight"]))
        for i in range(3):
            x = self.block(f"model.layers.{i}", 800 + 15 * i, x, c)
        shift, scale = self.linear("model.final_layer.adaLN_modulation.1", c).unsqueeze(1).chunk(2, 2)
        x = F.linear(torch.addcmul(shift, F.layer_norm(x, (64,), eps=1e-6), scale + 1), p["onnx::MatMul_845"], p["model.final_layer.linear.bias"])
        return x.reshape(-1, 16, 16, 2, 2).permute(0, 1, 3, 2, 4).reshape(-1, 1, 32, 32)

    def block(self, name, first, x, c):
        def norm(part, h):
            return F.layer_norm(h, (64,), self.p[f"{name}.{part}.weight"], self.p[f"{name}.{part}.bias"])

        def product(place, h):
            return F.linear(h, self.p[f"onnx::MatMul_{first + place}"])

        def rotate(h):
            h = h.reshape(-1, 256, 2, 32)
            a, b = h.chunk(2, 3)
            return torch.addcmul(h * self.p["onnx::Mul_810"], torch.cat([-b, a], 3), self.p["onnx::Mul_809"]).transpose(1, 2)

        m = self.linear(f"{name}.adaLN_modulation.1", c).unsqueeze(1).chunk(6, 2)
        h = torch.addcmul(m[0], norm("attention_norm", x), m[1] + 1)
        v = product(2, h).reshape(-1, 256, 2, 32).transpose(1, 2)
        mixed = attention(rotate(norm("attention.q_norm", product(0, h))), rotate(norm("attention.k_norm", product(1, h))), v)
        x = torch.addcmul(x, m[2], product(11, mixed.transpose(1, 2).reshape(-1, 256, 64)))
        h = torch.addcmul(m[3], norm("ffn_norm", x), m[4] + 1)
        return torch.addcmul(x, m[5], product(14, F.silu(product(12, h)) * product(13, h)))


class SongUNet(Denoiser):
    """DDPM++ as EDM has it; blocks run in the order of the file."""

    def network(self, x, noise, label):
        half = self.p["map_layer0.weight"].shape[1] // 2
        angles = noise.reshape(-1, 1) * torch.exp(torch.arange(half) * (math.log(1e-4) / (half - 1)))
        e = F.silu(self.linear("map_layer0", torch.cat([angles.sin(), angles.cos()], 1)))
        e = F.silu(self.linear("map_layer1", e))
        first, norm, last = (next(k[:-len(".weight")] for k in self.p if k.endswith(f"_{end}.weight") and k.startswith(part))
                             for part, end in (("enc.", "conv"), ("dec.", "aux_norm"), ("dec.", "aux_conv")))
        h = self.conv(first, x)
        skips = [h]
        for name in (k[:-len(".conv0.weight")] for k in self.p if k.endswith(".conv0.weight")):
            if name.startswith("dec.") and "_block" in name:
                h = torch.cat([h, skips.pop()], 1)
            h = self.block(name, h, e)
            if name.startswith("enc."):
                skips.append(h)
        return self.conv(last, F.silu(self.norm(norm, h)))

    def conv(self, name, x):
        weight = self.p[f"{name}.weight"]
        return F.conv2d(x, weight, self.p[f"{name}.bias"], padding=weight.shape[-1] // 2)

    def norm(self, name, x):
        return F.group_norm(x, min(32, x.shape[1] // 4), self.p[f"{name}.weight"], self.p[f"{name}.bias"], 1e-6)

    def block(self, name, x, e):
        def resampled(h):
            if name.endswith("_up"):
                return F.interpolate(h, scale_factor=2)
            return F.avg_pool2d(h, 2) if name.endswith("_down") else h

        h = self.conv(f"{name}.conv0", resampled(F.silu(self.norm(f"{name}.norm0", x))))
        h = h + self.linear(f"{name}.affine", e)[:, :, None, None]
        h = self.conv(f"{name}.conv1", F.silu(self.norm(f"{name}.norm1", h)))
        x = resampled(x)
        if f"{name}.skip.weight" in self.p:
            x = self.conv(f"{name}.skip", x)
        h = (h + x) * math.sqrt(0.5)
        if f"{name}.qkv.weight" not in self.p:
            return h
        n, c, height, width = h.shape
        q, k, v = (part.transpose(2, 3) for part in self.conv(f"{name}.qkv", self.norm(f"{name}.norm2", h)).reshape(n, 1, c, 3, height * width).unbind(3))
        mixed = attention(q, k, v).transpose(2, 3).reshape(h.shape)
        return (self.conv(f"{name}.proj", mixed) + h) * math.sqrt(0.5)


def power_law(n):
    """VarDiU's noise levels, in the data's units."""
    return torch.rand(n) ** 1.5 * (20 - 0.1) + 0.1


def karras_law(n, low=0.002 ** (1 / 7), high=80 ** (1 / 7)):
    """SiD's: uniform on Karras' grid, its upper fifth left out. For sigma_data = 0.5."""
    return (torch.rand(n) * (0.8 * (high - low)) + low) ** 7


def log_normal_law(n):
    """EDM's. For sigma_data = 0.5."""
    return (torch.randn(n) * 1.2 - 1.2).exp()


def diff_instruct_loss(x, noisy, teacher, fake_score):
    with torch.no_grad():
        difference = fake_score(noisy) - teacher(noisy)
    return (difference * x).sum() / len(x)


def sid_loss(x, noisy, teacher, fake_score, alpha=1.2, scale=100):
    r, f = teacher(noisy), fake_score(noisy)
    with torch.no_grad():
        omega = scale / (x - r).abs().flatten(1).mean(1).clamp(min=1e-5)
    delta = r - f
    return (omega * (delta * ((r - x) - alpha * delta)).flatten(1).sum(1)).sum() / len(x)


class Training:
    """One fake-score and one student update, and the average of the student's weights."""

    def __init__(self, teacher, loss, fake_law, student_law):
        self.teacher, self.loss, self.fake_law, self.student_law = teacher, loss, fake_law, student_law
        self.batch, self.images = int(teacher.settings["batch"]), 0
        self.student, self.fake_score = copy.deepcopy(teacher), copy.deepcopy(teacher)
        self.student.require_grad(True)
        self.fake_score.require_grad(True)
        self.optimizers = [torch.optim.Adam(n.p.values(), lr=1e-5, betas=(0, 0.999)) for n in (self.fake_score, self.student)]
        self.average = [p.detach().clone() for p in self.student.p.values()]

    def draw(self):
        label = torch.randint(0, self.teacher.labels, (self.batch,)) if self.teacher.labels else None
        sigma = torch.full((1, *[1] * len(self.teacher.shape)), self.teacher.settings["sigma_init"])
        return self.student(torch.randn(self.batch, *self.teacher.shape) * sigma, sigma, label), label

    def update(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    def step(self):
        with torch.no_grad():
            x, label = self.draw()
            sigma = self.teacher.per_sample(self.fake_law(self.batch))
            noisy = torch.addcmul(x, sigma, torch.randn_like(x))
            weight = 1 / sigma ** 2 + 1 / self.teacher.settings["sigma_data"] ** 2
        self.update(self.optimizers[0], (weight * (self.fake_score(noisy, sigma, label) - x) ** 2).sum() / self.batch)

        self.fake_score.require_grad(False)
        x, label = self.draw()
        sigma = self.teacher.per_sample(self.student_law(self.batch))
        noisy = torch.addcmul(x, sigma, torch.randn_like(x))
        self.update(self.optimizers[1], self.loss(x, noisy, lambda y: self.teacher(y, sigma, label), lambda y: self.fake_score(y, sigma, label)))
        self.fake_score.require_grad(True)
        with torch.no_grad():
            for average, p in zip(self.average, self.student.p.values()):
                average.lerp_(p, 0.001)


class Sampling:
    """One step of the student, or EDM's deterministic sampler of the teacher with its state in double."""

    def __init__(self, network, batch, steps):
        self.network, self.images, self.steps = network, batch, steps
        self.label = torch.arange(batch) % network.labels if network.labels else None
        low, high = (network.settings[f"sigma_{end}"] ** (1 / 7) for end in ("min", "max"))
        self.levels = [(high + i / max(1, steps - 1) * (low - high)) ** 7 for i in range(steps)] + [0.0]

    def denoise(self, x, sigma):
        return self.network(x, torch.full((1, *[1] * len(self.network.shape)), sigma), self.label)

    @torch.inference_mode()
    def step(self):
        z = torch.randn(self.images, *self.network.shape)
        if not self.steps:
            return self.denoise(z * self.network.settings["sigma_init"], self.network.settings["sigma_init"])
        x = z.double() * self.levels[0]
        for now, then in zip(self.levels, self.levels[1:]):
            slope = (x - self.denoise(x.float(), now)) / now
            moved = x + (then - now) * slope
            if then > 0:
                slope = (slope + (moved - self.denoise(moved.float(), then)) / then) / 2
                moved = x + (then - now) * slope
            x = moved
        return x.float()


SUBJECTS = {"forty": Mlp, "dit-mnist": Dit, "song-unet": SongUNet}
WORKLOADS = {
    "diff-instruct-forty": ("forty", lambda n: Training(n, diff_instruct_loss, power_law, power_law)),
    "sid-dit-mnist": ("dit-mnist", lambda n: Training(n, sid_loss, log_normal_law, karras_law)),
    "sid-song-unet": ("song-unet", lambda n: Training(n, sid_loss, log_normal_law, karras_law)),
    "one-step-forty": ("forty", lambda n: Sampling(n, 4096, 0)),
    "one-step-dit-mnist": ("dit-mnist", lambda n: Sampling(n, 64, 0)),
    "one-step-song-unet": ("song-unet", lambda n: Sampling(n, 32, 0)),
    "heun-forty": ("forty", lambda n: Sampling(n, 4096, STEPS)),
    "heun-dit-mnist": ("dit-mnist", lambda n: Sampling(n, 64, STEPS)),
    "heun-song-unet": ("song-unet", lambda n: Sampling(n, 32, STEPS)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", help="folder that OnnxDistill.Bench --export wrote")
    parser.add_argument("--workload", choices=WORKLOADS, help="all by default")
    parser.add_argument("--seconds", type=float, default=10, help="of each workload; three steps at least")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    print(f"PyTorch {torch.__version__}, {options.threads} threads")
    for name in [options.workload] if options.workload else WORKLOADS:
        subject, create = WORKLOADS[name]
        path = os.path.join(options.weights, f"{subject}.npz")
        if not os.path.exists(path):
            print(f"{name}: left out, there is no {path}")
            continue
        network = SUBJECTS[subject](dict(np.load(path)))
        error = network.check()
        workload = create(network)
        workload.step()  # warm
        times, start = [], time.perf_counter()
        while len(times) < 3 or time.perf_counter() - start < options.seconds:
            before = time.perf_counter()
            workload.step()
            times.append(time.perf_counter() - before)
        median = statistics.median(times)
        speed = f", {workload.images / median:.0f} images/s" if workload.images else ""
        print(f"{name}: {median * 1000:.1f} ms{speed} (median of {len(times)}; network agrees to {error:.0e})", flush=True)


if __name__ == "__main__":
    main()
