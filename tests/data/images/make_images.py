#!/usr/bin/env python3
"""Small pictures of every kind that gyre reads, and what Pillow makes of them.

    make_images.py FOLDER    writes the pictures and reference.txt into it

A line of reference.txt: file, how, height, width, channels, pixels in hex. Needs python3-pil.
"""
import io
import math
import pathlib
import sys

import PIL
from PIL import Image, ImageOps

WHITE = (255, 255, 255)


def scene(width, height):
    """Slopes, a circle and a fine grid: nothing in it is symmetric."""
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            ring = 90 * math.cos(math.hypot(x - 0.3 * width, y - 0.4 * height) / 2.5)
            grid = 60 if (x // 2 + y // 3) % 2 else 0
            color = (255 * x / width, 255 * y / height, 128 + ring)
            image.putpixel((x, y), tuple(max(0, min(255, int(c + grid / 2))) for c in color))
    return image


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def write_pictures(folder):
    picture = scene(47, 36)
    jpeg = {"quality": 92}
    picture.save(folder / "rgb.png")
    picture.save(folder / "rgb.jpg", subsampling=2, **jpeg)
    picture.save(folder / "rgb_444.jpg", subsampling=0, **jpeg)
    scene(23, 50).save(folder / "tall.png")
    picture.save(folder / "progressive.jpg", progressive=True, **jpeg)
    picture.convert("L").save(folder / "gray.jpg", **jpeg)
    picture.convert("L").save(folder / "gray.png")
    picture.convert("1").save(folder / "one_bit.png")
    picture.quantize(16).save(folder / "palette.png")
    picture.convert("CMYK").save(folder / "cmyk.jpg", **jpeg)
    for orientation in (3, 6, 8):
        picture.save(folder / f"turned_{orientation}.jpg", exif=exif(orientation), **jpeg)
    picture.save(folder / "turned_5.png", exif=exif(5))
    alpha = picture.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(picture.size))
    alpha.save(folder / "alpha.png")
    # two pictures in one file, as stereo cameras write them; and a PNG that is called .jpg
    picture.save(folder / "two.mpo", save_all=True, append_images=[scene(9, 9)], **jpeg)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    (folder / "mislabelled.jpg").write_bytes(buffer.getvalue())


def upright(path):
    image = Image.open(path)
    if image.mode in ("RGBA", "LA", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image.convert("RGBA"))
    return ImageOps.exif_transpose(image).convert("RGB")


def pad(image, size):
    inside = ImageOps.contain(image, size, Image.BILINEAR)
    out = Image.new("RGB", size, WHITE)
    out.paste(inside, ((size[0] - inside.width) // 2, (size[1] - inside.height) // 2))
    return out


MAKE = {
    "crop": lambda image, size: ImageOps.fit(image, size, Image.BILINEAR),
    "pad": pad,
    "stretch": lambda image, size: image.resize(size, Image.BILINEAR),
}


def main(folder):
    write_pictures(folder)
    lines = [f"# made by make_images.py with Pillow {PIL.__version__}"]
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png", ".mpo")):
        for how, (height, width), channels in (
            ("crop", (8, 8), 3), ("crop", (5, 12), 3), ("stretch", (7, 6), 3), ("pad", (10, 9), 3),
            ("crop", (6, 6), 1), ("stretch", (40, 61), 3) if path.name == "rgb.png" else ("pad", (3, 11), 3),
        ):
            image = MAKE[how](upright(path), (width, height))
            if channels == 1:
                image = image.convert("L")
            lines.append(f"{path.name} {how} {height} {width} {channels} {image.tobytes().hex()}")
    (folder / "reference.txt").write_text("\n".join(lines) + "\n")


main(pathlib.Path(sys.argv[1]))
