"""A dataset of latents and captions, by a folder of Stable Diffusion as diffusers has it.

    python3 encode.py MODEL PICTURES OUT.h5 [--size 512]

A picture's caption is in the .txt beside it, or else its file's name up to the first "_". Needs diffusers,
transformers, h5py, Pillow.
"""
import argparse, pathlib

import h5py, numpy as np, torch
from diffusers import AutoencoderKL
from PIL import Image, ImageOps
from transformers import CLIPTextModel, CLIPTokenizer

p = argparse.ArgumentParser()
p.add_argument("model"), p.add_argument("pictures", type=pathlib.Path), p.add_argument("out")
p.add_argument("--size", type=int, help="cut the middle square out and resize it")
a = p.parse_args()
vae = AutoencoderKL.from_pretrained(a.model, subfolder="vae").eval()
tokenizer = CLIPTokenizer.from_pretrained(a.model, subfolder="tokenizer")
encoder = CLIPTextModel.from_pretrained(a.model, subfolder="text_encoder").eval()
files = sorted(f for f in a.pictures.rglob("*") if f.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
latents, captions, sizes = [], [""], set()
which = np.zeros(len(files), "<i4")


def caption_of(file):
    text = file.with_suffix(".txt")
    caption = " ".join((text.read_text() if text.exists() else file.stem.split("_")[0]).split())
    if caption == "" or caption.isdigit():
        raise SystemExit(f"{file}: no caption: expected {text.name} beside it, or a name as 'a brown dog_1.jpg'")
    return caption


with torch.no_grad():
    for i, file in enumerate(files):
        caption = caption_of(file)
        captions += [caption] * (caption not in captions)
        which[i] = captions.index(caption)
        picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
        picture = ImageOps.fit(picture, (a.size, a.size), Image.Resampling.LANCZOS) if a.size else picture
        sizes.add(picture.size)
        if len(sizes) > 1 or picture.width % 8 or picture.height % 8:
            raise SystemExit(f"{file}: {picture.width} x {picture.height} pixels; expected are pictures of one size, with"
                             " sides that are multiples of 8; --size makes them so")
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
        d = vae.encode(x).latent_dist
        both = torch.cat([d.mean, d.std], 1) * vae.config.scaling_factor
        latents.append(both[0].permute(1, 2, 0).numpy().astype("<f4"))
    if not files:
        raise SystemExit(f"{a.pictures}: no picture is there")
    ids = tokenizer(captions, padding="max_length", max_length=tokenizer.model_max_length, truncation=True,
                    return_tensors="pt").input_ids
    contexts = torch.cat([encoder(row[None])[0] for row in ids]).numpy().astype("<f4")
with h5py.File(a.out, "w") as f:
    f["train/latents"], f["train/contexts"], f["contexts"] = np.stack(latents), which, contexts
    f["captions"] = np.array([c.encode() for c in captions], "S")
print(f"{a.out}: {len(files)} latents, {len(captions) - 1} captions")
