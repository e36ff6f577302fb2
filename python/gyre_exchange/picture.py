"""Pillow's pictures as pixels of bytes, gray or RGB. What is transparent is laid over white, as `gyre data import folder`
does."""

import numpy as np

GRAY = {"1", "L", "LA", "La"}
COLOUR = {"RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV"}
NUMBERS = {"I", "F"}  # of 32 bits, or of 16 as I;16


def is_picture(value):
    return type(value).__module__.split(".")[0] == "PIL" or (hasattr(value, "getbands") and hasattr(value, "convert"))


def _over_white(image, gray):
    a = np.asarray(image.convert("LA" if gray else "RGBA"), "u4")
    alpha = a[..., -1:]
    pixels = ((a[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype("u1")
    return pixels[..., 0] if gray else pixels


def pixels(image):
    """(H, W) or (H, W, 3) of bytes; of a picture whose pixels are larger numbers, those."""
    if image.mode.split(";")[0] in NUMBERS:
        return np.asarray(image)
    gray = image.mode in GRAY
    if not gray and image.mode not in COLOUR:
        raise ValueError(f"a picture of mode {image.mode}; hand over image.convert('RGB')")
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _over_white(image, gray)
    return np.asarray(image.convert("L" if gray else "RGB"))
