"""Writes the files of this folder: configurations of diffusers' U-Nets, and what their state_dict then holds.

    python3 make_reference.py

NAME.json is a config.json; NAME.txt has a line "tensor dim dim ..." for each tensor, sorted. Needs diffusers and torch.
"""
import json, pathlib

import diffusers, torch

HERE = pathlib.Path(__file__).parent
PLAIN = ["DownBlock2D"], ["UpBlock2D"]
CONDITIONAL = dict(_class_name="UNet2DConditionModel")
CONFIGS = {
    # google/ddpm-cifar10-32
    "ddpm_cifar10": dict(
        act_fn="silu", attention_head_dim=None, block_out_channels=[128, 256, 256, 256], center_input_sample=False,
        down_block_types=["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"], downsample_padding=0,
        flip_sin_to_cos=False, freq_shift=1, in_channels=3, layers_per_block=2, mid_block_scale_factor=1, norm_eps=1e-06,
        norm_num_groups=32, out_channels=3, sample_size=32, time_embedding_type="positional",
        up_block_types=["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]),
    "classes": dict(
        sample_size=28, in_channels=1, out_channels=1, block_out_channels=[16, 32, 48], layers_per_block=1,
        norm_num_groups=8, num_class_embeds=11, attention_head_dim=8, attn_norm_num_groups=4, dropout=0.1,
        down_block_types=["AttnDownBlock2D", "DownBlock2D", "AttnDownBlock2D"],
        up_block_types=["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]),
    "no_attention": dict(
        sample_size=16, in_channels=3, out_channels=3, block_out_channels=[8, 8], layers_per_block=3, norm_num_groups=2,
        add_attention=False, time_embedding_dim=20, down_block_types=PLAIN[0] * 2, up_block_types=PLAIN[1] * 2),
    "no_middle": dict(
        sample_size=8, in_channels=3, out_channels=3, block_out_channels=[12], layers_per_block=1, norm_num_groups=3,
        mid_block_type=None, down_block_types=PLAIN[0], up_block_types=PLAIN[1]),
    # as stable-diffusion-v1-5/stable-diffusion-v1-5 has it
    "stable_diffusion": dict(
        CONDITIONAL, act_fn="silu", attention_head_dim=8, block_out_channels=[320, 640, 1280, 1280],
        center_input_sample=False, cross_attention_dim=768,
        down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], downsample_padding=1, flip_sin_to_cos=True,
        freq_shift=0, in_channels=4, layers_per_block=2, mid_block_scale_factor=1, norm_eps=1e-05, norm_num_groups=32,
        out_channels=4, sample_size=64, up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3),
    # what Stable Diffusion 2 has of its own, and a transformer of two blocks
    "conditional": dict(
        CONDITIONAL, sample_size=16, block_out_channels=[8, 16, 24], layers_per_block=1, norm_num_groups=4,
        attention_head_dim=[1, 2, 4], cross_attention_dim=12, use_linear_projection=True, upcast_attention=True,
        dual_cross_attention=False, only_cross_attention=False, num_class_embeds=None,
        transformer_layers_per_block=[1, 2, 1], down_block_types=["CrossAttnDownBlock2D"] * 2 + ["DownBlock2D"],
        up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 2),
}


def write(name, config):
    config = {"_class_name": "UNet2DModel", "_diffusers_version": "0.42.1", **config}
    (HERE / f"{name}.json").write_text(json.dumps(config, indent=4) + "\n")
    network = getattr(diffusers, config["_class_name"])
    with torch.device("meta"):  # no weights: names and shapes
        state = network(**{k: v for k, v in config.items() if k[0] != "_"}).state_dict()
    lines = [" ".join([tensor, *map(str, value.shape)]) for tensor, value in sorted(state.items())]
    (HERE / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print(name, len(lines), sum(v.numel() for v in state.values()))


for name, config in CONFIGS.items():
    write(name, config)
