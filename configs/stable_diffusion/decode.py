"""Pictures of latents that `gyre sample --latents` wrote, by the VAE of a folder of Stable Diffusion.

    python3 decode.py MODEL LATENTS.h5 FOLDER

Writes FOLDER/0.png and so on. Needs diffusers, h5py, Pillow.
"""
import pathlib, sys

import h5py, torch
from diffusers import AutoencoderKL
from PIL import Image

model, file, folder = sys.argv[1:]
vae = AutoencoderKL.from_pretrained(model, subfolder="vae").eval()
pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
with h5py.File(file) as f, torch.no_grad():
    for i, latent in enumerate(f["latents"]):
        x = torch.from_numpy(latent).permute(2, 0, 1)[None] / vae.config.scaling_factor
        y = ((vae.decode(x).sample[0] / 2 + 0.5).clamp(0, 1) * 255).round().byte()
        Image.fromarray(y.permute(1, 2, 0).numpy()).save(f"{folder}/{i}.png")
print(f"{folder}: {i + 1} pictures")
