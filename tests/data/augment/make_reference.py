#!/usr/bin/env python3
"""Writes torchvision.txt: what torchvision makes of two small pictures.

Each line is NAME, up to three arguments, and the bytes of the result (h, w, c) in hex. Lines `picture` say
what the following ones begin with. Needs torch and torchvision (0.29 made the file that is here).
Magnitudes are such that no source of a pixel lies between two.
"""
import os

import torch
from torchvision.transforms import InterpolationMode, RandAugment, autoaugment
from torchvision.transforms import functional as F

H, W = 11, 14
OPS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
       "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]


def picture(channels):
    """Slopes with noise; its least and greatest values are not 0 and 255."""
    g = torch.Generator().manual_seed(channels)
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    slopes = torch.stack([40 + 9 * x, 200 - 11 * y, 30 + 5 * x + 6 * y])[:channels]
    return (slopes + torch.randint(0, 40, slopes.shape, generator=g)).clamp(12, 243).to(torch.uint8)


def line(out, *words, image):
    out.write(" ".join(str(w) for w in words) + " " + bytes(image.permute(1, 2, 0).reshape(-1).tolist()).hex() + "\n")


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchvision.txt"), "w") as out:
    for channels in 3, 1:
        p = picture(channels)
        line(out, "picture", H, W, channels, image=p)
        space = RandAugment()._augmentation_space(31, (H, W))
        for i, op in enumerate(OPS):
            magnitudes, signed = space[op]
            for at in (5, 13, 30) if magnitudes.ndim > 0 else (9,):
                for sign in (1, -1) if signed else (1,):
                    m = sign * float(magnitudes[at].item() if magnitudes.ndim > 0 else 0)
                    image = autoaugment._apply_op(p, op, m, interpolation=InterpolationMode.NEAREST, fill=None)
                    line(out, "operation", i, at, sign, image=image)
        for order in ("0123", "3210", "2031"):
            for b, c, s, h in (0.6, 1.4, 0.3, 0.1), (1.7, 0.5, 1.9, -0.4):
                image = p
                for k in order:
                    do, factor = ((F.adjust_brightness, b), (F.adjust_contrast, c), (F.adjust_saturation, s),
                                  (F.adjust_hue, h))[int(k)]
                    image = do(image, factor)
                line(out, "jitter", order, f"{b},{c},{s},{h}", 0, image=image)
                if channels == 3 and order == "0123":
                    for k, factor in enumerate((b, c, s, h)):
                        one = [1, 1, 1, 0]
                        one[k] = factor
                        f = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)[k]
                        line(out, "jitter", "0123", ",".join(map(str, one)), 0, image=f(p, factor))
