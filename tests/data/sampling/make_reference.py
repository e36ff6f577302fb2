#!/usr/bin/env python3
"""Writes reference.txt: what diffusers' DDIMScheduler and DDPMScheduler visit and compute.

    pip install diffusers==0.42.1 torch
    python3 make_reference.py > reference.txt

Both keep their noise schedule in f32. Here they are given the same one in double, so that gyre's can be held against it
to the last digits; that it is the same within f32 is asserted. Numbers are random: x, what a network told, and noise.
"""
import sys

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm

torch.manual_seed(1)
NOISES = {"linear": (0, 1e-4, 0.02), "scaled_linear": (1, 0.00085, 0.012), "squaredcos_cap_v2": (2, 0, 0)}


def double_schedule(noise, steps, zero):
    _, first, last = NOISES[noise]
    # as gyre keeps them
    first, last = float(np.float32(first)), float(np.float32(last))
    if noise == "linear":
        betas = np.linspace(first, last, steps)
    elif noise == "scaled_linear":
        betas = np.linspace(first**0.5, last**0.5, steps) ** 2
    else:
        def bar(u):
            return np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
        i = np.arange(steps)
        betas = np.minimum(1 - bar((i + 1) / steps) / bar(i / steps), 0.999)
    betas = torch.from_numpy(betas)
    if zero:
        betas = scheduling_ddim.rescale_zero_terminal_snr(betas)
    return torch.cumprod(1 - betas, 0)


def case(method, noise, steps, spacing, count, predict="epsilon", eta=0.0, clip=True, zero=False):
    number, first, last = NOISES[noise]
    kind = DDIMScheduler if method == "ddim" else DDPMScheduler
    s = kind(num_train_timesteps=steps, beta_schedule=noise, beta_start=first, beta_end=last, clip_sample=clip,
             prediction_type="epsilon" if predict == "epsilon" else "v_prediction", timestep_spacing=spacing,
             rescale_betas_zero_snr=zero)
    own = double_schedule(noise, steps, zero)
    assert torch.allclose(own.float(), s.alphas_cumprod, rtol=2e-5, atol=2e-6), (noise, steps)
    s.alphas_cumprod = own
    if method == "ddim":
        s.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    else:
        s.one = torch.tensor(1.0, dtype=torch.float64)
    s.set_timesteps(count)
    times = [int(t) for t in s.timesteps]
    assert len(times) == count, (spacing, count)
    print("case", method, number, steps, float(np.float32(first)).hex(), float(np.float32(last)).hex(), int(zero),
          int(predict == "v"), ["leading", "trailing", "linspace"].index(spacing), count, eta, int(clip))
    print("times", *times)
    shown = sorted({0, 1, count // 2, count - 2, count - 1} & set(range(count)))
    for i in shown:
        x, told, noise_in = (torch.randn(1, 1, 1, 1, dtype=torch.float32).double() for _ in range(3))
        if method == "ddim":
            given = {"variance_noise": noise_in} if eta > 0 else {}
            out = s.step(told, times[i], x, eta=eta, **given).prev_sample
        else:
            made = scheduling_ddpm.randn_tensor
            scheduling_ddpm.randn_tensor = lambda *a, **k: noise_in
            out = s.step(told, times[i], x).prev_sample
            scheduling_ddpm.randn_tensor = made
        print(i, *(float(v).hex() for v in (x, told, noise_in, out)))


for noise in NOISES:
    for predict in ("epsilon", "v"):
        for clip in (True, False):
            case("ddim", noise, 1000, "leading", 50, predict, 0.0, clip)
            case("ddim", noise, 1000, "leading", 30, predict, 0.5, clip)
            case("ddpm", noise, 1000, "leading", 250, predict, clip=clip)
            case("ddpm", noise, 1000, "linspace", 30, predict, clip=clip)
    # where the steps divide the times, diffusers' DDIM goes to the next time of its list
    case("ddim", noise, 1000, "trailing", 50, eta=1.0)
    case("ddpm", noise, 1000, "trailing", 30)
    case("ddim", noise, 1000, "trailing", 20, "v", zero=True)
    case("ddpm", noise, 1000, "trailing", 40, "v", zero=True)
    case("ddim", noise, 1000, "leading", 7, "v", 0.3, zero=True)
    case("ddim", noise, 1000, "leading", 1)
    case("ddim", noise, 100, "leading", 100)
    case("ddpm", noise, 60, "linspace", 1)
    case("ddpm", noise, 2, "leading", 2)
    case("ddim", noise, 2, "trailing", 1, "v")
case("ddpm", "linear", 1000, "leading", 1000)
