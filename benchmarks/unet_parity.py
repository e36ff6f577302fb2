"""Outputs of diffusers' UNet2DModel and of gyre's, from one config.json and one file of weights.

    python3 unet_parity.py GYRE-BUILD [NAME...]

GYRE-BUILD holds benchmarks/unet_outputs (make bench). Each network has random weights, also of norms, so that none is at
its start; x_t are normal numbers. Prints the largest distance of an output for several times, relative to the largest
output: of gyre's from PyTorch's in double precision, of PyTorch's in f32 from the same, and of both.
Needs diffusers, torch, safetensors.
"""
import copy, json, pathlib, subprocess, sys, tempfile

import numpy as np, torch
from diffusers import UNet2DModel

TIMES, PICTURES, CLASSES = (0, 1, 37, 500, 999), 3, 10
D, AD, U, AU = "DownBlock2D", "AttnDownBlock2D", "UpBlock2D", "AttnUpBlock2D"
SMALL = dict(norm_num_groups=8, layers_per_block=1)
NETWORKS = {
    "two levels, attention": dict(SMALL, sample_size=16, block_out_channels=[16, 32], down_block_types=[D, AD],
                                  up_block_types=[AU, U]),
    "28 px, three levels, one channel": dict(SMALL, sample_size=28, in_channels=1, out_channels=1, layers_per_block=2,
                                             block_out_channels=[32, 64, 64], down_block_types=[D, AD, AD],
                                             up_block_types=[AU, AU, U]),
    "classes, head of 16": dict(SMALL, sample_size=32, block_out_channels=[32, 64, 64], num_class_embeds=CLASSES + 1,
                                attention_head_dim=16, down_block_types=[D, D, AD], up_block_types=[AU, U, U]),
    "padding 0, freq_shift 1, no flip, one head, eps 1e-6": dict(
        SMALL, sample_size=32, block_out_channels=[32, 32, 64], downsample_padding=0, freq_shift=1,
        flip_sin_to_cos=False, attention_head_dim=None, norm_eps=1e-6, down_block_types=[D, AD, D],
        up_block_types=[U, AU, U]),
    "no attention in the middle, dropout, time_embedding_dim": dict(
        SMALL, sample_size=24, block_out_channels=[16, 16, 32], add_attention=False, dropout=0.1, time_embedding_dim=48,
        down_block_types=[D, D, D], up_block_types=[U, U, U]),
    "no middle, one level, two layers": dict(norm_num_groups=4, sample_size=8, block_out_channels=[24],
                                             layers_per_block=2, mid_block_type=None, down_block_types=[AD],
                                             up_block_types=[U]),
    "not square, groups of the middle": dict(SMALL, sample_size=[16, 24], block_out_channels=[16, 32, 32],
                                             attn_norm_num_groups=4, down_block_types=[AD, D, AD],
                                             up_block_types=[AU, U, AU]),
    "ddpm-cifar10-32": json.loads((pathlib.Path(__file__).parents[1] / "tests/data/unet/ddpm_cifar10.json").read_text()),
}


def network(config):
    torch.manual_seed(1)
    net = UNet2DModel(**{k: v for k, v in config.items() if k[0] != "_"}).eval()
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() == 1:  # biases and norms away from 0 and 1
                p.add_(0.2 * torch.randn_like(p))
    return net


def outputs(net, x, t, labels):
    with torch.no_grad():
        labels = labels if net.config.num_class_embeds else None
        return net(x, t, class_labels=labels).sample.double().numpy()


def compare(build, name, config, folder):
    net = network(config)
    net.save_pretrained(folder)
    h, w = (config["sample_size"],) * 2 if isinstance(config["sample_size"], int) else config["sample_size"]
    c = net.config.in_channels
    labels = torch.arange(PICTURES) * 3 % CLASSES
    x = torch.randn(PICTURES, c, h, w, generator=torch.Generator().manual_seed(2))
    exact = copy.deepcopy(net).double()
    # the sinusoids are made in f32 there, whatever the type: they are part of what is compared
    worst = np.zeros(3)
    for t in TIMES:
        theirs, double = outputs(net, x, t, labels), outputs(exact, x.double(), t, labels)
        given = x.permute(0, 2, 3, 1).contiguous().numpy().tobytes() + labels.int().numpy().tobytes()
        done = subprocess.run([f"{build}/benchmarks/unet_outputs", folder / "config.json",
                               folder / "diffusion_pytorch_model.safetensors",
                               *map(str, (PICTURES, h, w, c, CLASSES, t))], input=given, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"{name}: {done.stderr.decode()}")
        own = np.frombuffer(done.stdout, "f4").reshape(PICTURES, h, w, c).transpose(0, 3, 1, 2).astype("f8")
        top = np.abs(double).max()
        worst = np.maximum(worst, [np.abs(a - b).max() / top
                                   for a, b in ((own, double), (theirs, double), (own, theirs))])
    count = sum(p.numel() for p in net.parameters())
    print(f"| {name} | {count:,} | {worst[0]:.1e} | {worst[1]:.1e} | {worst[2]:.1e} |", flush=True)
    return worst[2]


if __name__ == "__main__":
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    print("| network | parameters | gyre from double | PyTorch f32 from double | gyre from PyTorch |\n|---|---|---|---|---|")
    apart = 0
    for name in sys.argv[2:] or NETWORKS:
        with tempfile.TemporaryDirectory() as t:
            apart = max(apart, compare(sys.argv[1], name, NETWORKS[name], pathlib.Path(t)))
    sys.exit(not apart <= 1e-5)
