"""Outputs of diffusers' U-Nets and of gyre's, from one config.json and one file of weights.

    python3 unet_parity.py GYRE-BUILD [NAME...]

GYRE-BUILD holds benchmarks/unet_outputs (make bench). Each network has random weights, also of norms, so that none is at
its start; x_t are normal numbers. Prints the largest distance of an output for several times, relative to the largest
output: of gyre's from PyTorch's in double precision, of PyTorch's in f32 from the same, and of both.
Needs diffusers, torch, safetensors.
"""
import copy, json, pathlib, subprocess, sys, tempfile

import diffusers, numpy as np, torch

TIMES, PICTURES, CLASSES, TOKENS = (0, 1, 37, 500, 999), 3, 10, 7
D, AD, U, AU = "DownBlock2D", "AttnDownBlock2D", "UpBlock2D", "AttnUpBlock2D"
CD, CU = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
SMALL = dict(norm_num_groups=8, layers_per_block=1)
CONDITIONAL = dict(_class_name="UNet2DConditionModel", cross_attention_dim=24)
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
    "contexts, as Stable Diffusion 1.5": dict(
        SMALL, **CONDITIONAL, sample_size=16, block_out_channels=[16, 32, 32], layers_per_block=2, attention_head_dim=4,
        down_block_types=[CD, CD, D], up_block_types=[U, CU, CU]),
    "contexts, as Stable Diffusion 2": dict(
        SMALL, **CONDITIONAL, sample_size=16, block_out_channels=[16, 32, 64], attention_head_dim=[1, 2, 4],
        use_linear_projection=True, down_block_types=[CD, CD, CD], up_block_types=[CU, CU, CU]),
    "contexts, two blocks, padding 0, not square": dict(
        SMALL, **CONDITIONAL, sample_size=[12, 20], in_channels=3, out_channels=3, block_out_channels=[16, 24],
        transformer_layers_per_block=[1, 2], downsample_padding=0, freq_shift=1, flip_sin_to_cos=False,
        attention_head_dim=2, down_block_types=[D, CD], up_block_types=[CU, U]),
    "ddpm-cifar10-32": json.loads((pathlib.Path(__file__).parents[1] / "tests/data/unet/ddpm_cifar10.json").read_text()),
}


def network(config):
    torch.manual_seed(1)
    kind = getattr(diffusers, config.get("_class_name", "UNet2DModel"))
    net = kind(**{k: v for k, v in config.items() if k[0] != "_"}).eval()
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() == 1:  # biases and norms away from 0 and 1
                p.add_(0.2 * torch.randn_like(p))
    return net


def contexts_of(net):
    """(CLASSES, TOKENS, channels), or none; and that as bytes."""
    if "cross_attention_dim" not in net.config:
        return None, b""
    contexts = torch.randn(CLASSES, TOKENS, net.config.cross_attention_dim, generator=torch.Generator().manual_seed(4))
    return contexts, contexts.numpy().tobytes()


def shape_of(contexts):
    return (0, 0) if contexts is None else contexts.shape[1:]


def tell(net, x, t, labels, contexts):
    """What the network tells of samples with these labels: classes or contexts."""
    if contexts is not None:
        return net(x, t, contexts[labels].to(x.dtype)).sample
    return net(x, t, class_labels=labels if net.config.num_class_embeds else None).sample


def outputs(net, *given):
    with torch.no_grad():
        return tell(net, *given).double().numpy()


def compare(build, name, config, folder):
    net = network(config)
    net.save_pretrained(folder)
    h, w = (config["sample_size"],) * 2 if isinstance(config["sample_size"], int) else config["sample_size"]
    c = net.config.in_channels
    labels = torch.arange(PICTURES) * 3 % CLASSES
    x = torch.randn(PICTURES, c, h, w, generator=torch.Generator().manual_seed(2))
    contexts, context_bytes = contexts_of(net)
    exact = copy.deepcopy(net).double()
    # the sinusoids are made in f32 there, whatever the type: they are part of what is compared
    worst = np.zeros(3)
    for t in TIMES:
        theirs, double = outputs(net, x, t, labels, contexts), outputs(exact, x.double(), t, labels, contexts)
        given = x.permute(0, 2, 3, 1).contiguous().numpy().tobytes() + labels.int().numpy().tobytes() + context_bytes
        done = subprocess.run([f"{build}/benchmarks/unet_outputs", folder / "config.json",
                               folder / "diffusion_pytorch_model.safetensors",
                               *map(str, (PICTURES, h, w, c, CLASSES, *shape_of(contexts), t))], input=given, capture_output=True)
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
