"""Samples of diffusers' UNet2DModel, by its DDIMScheduler, and of `gyre sample`, from one start noise.

    python3 unet_samples.py GYRE [NAME...]

GYRE is the program. It trains each network for 300 steps on pictures of discs and exports it as diffusers' folder: a
network of random weights makes every rounding larger from step to step, and no two programs agree on its samples.
Prints the largest distance of a sample's value from the same in double precision, where pixels are -1 to 1: of gyre's,
and of PyTorch's in f32; that of the two; and how many of the pixels of 0 to 255 are equal.
Needs diffusers, torch, h5py.
"""
import copy, json, pathlib, subprocess, sys, tempfile

import h5py, numpy as np, torch
from diffusers import DDIMScheduler, UNet2DModel
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

D, AD, U, AU = "DownBlock2D", "AttnDownBlock2D", "UpBlock2D", "AttnUpBlock2D"
SMALL = dict(norm_num_groups=8, layers_per_block=1, block_out_channels=[16, 32], down_block_types=[D, AD],
             up_block_types=[AU, U], attention_head_dim=8, sample_size=16)
CLASSES, COUNT = 10, 4
# network, gyre's `denoise`, the scheduler's fields that follow, options of `gyre sample`
CASES = {
    "linear, 50 steps": (SMALL, {"noise": "linear"}, {}, "--steps 50"),
    "scaled_linear, 30 steps, not clipped": (SMALL, {"noise": "scaled_linear"}, {"clip_sample": False},
                                             "--steps 30 --clip no"),
    "cosine, v, 50 steps": (SMALL, {"noise": "cosine", "predict": "v"}, {}, "--steps 50"),
    "zero_snr, v, trailing, 40 steps": (SMALL, {"noise": "linear", "predict": "v", "zero_snr": True}, {}, "--steps 40"),
    "28 px, one channel, 100 steps": (dict(SMALL, sample_size=28, in_channels=1, out_channels=1), {"noise": "linear"},
                                      {}, "--steps 100"),
    "classes, 50 steps": (dict(SMALL, num_class_embeds=CLASSES + 1), {"noise": "cosine", "drop_condition": 0.1}, {},
                          "--steps 50 --class 3"),
    "classes, guidance 3, 50 steps": (dict(SMALL, num_class_embeds=CLASSES + 1),
                                      {"noise": "cosine", "drop_condition": 0.1}, {},
                                      "--steps 50 --class 3 --guidance 3"),
}
BETAS = {"linear": ("linear", 1e-4, 0.02), "scaled_linear": ("scaled_linear", 0.00085, 0.012),
         "cosine": ("squaredcos_cap_v2", 1e-4, 0.02)}


def options_of(text):
    words = text.split()
    return {k[2:]: v for k, v in zip(words[::2], words[1::2])}


def double_schedule(name, first, last, zero):
    share = torch.arange(1000).double() / 999
    bar = torch.cos((torch.arange(1001).double() / 1000 + 0.008) / 1.008 * torch.pi / 2) ** 2
    betas = {"linear": first + (last - first) * share,
             "scaled_linear": (first**0.5 + (last**0.5 - first**0.5) * share) ** 2,
             "squaredcos_cap_v2": (1 - bar[1:] / bar[:-1]).clamp(max=0.999)}[name]
    return torch.cumprod(1 - (rescale_zero_terminal_snr(betas) if zero else betas), 0)


def theirs(net, denoise, fields, options, start):
    schedule, first, last = BETAS[denoise["noise"]]
    zero = denoise.get("zero_snr", False)
    s = DDIMScheduler(beta_schedule=schedule, beta_start=first, beta_end=last, rescale_betas_zero_snr=zero,
                      timestep_spacing="trailing" if zero else "leading",
                      prediction_type="v_prediction" if denoise.get("predict") == "v" else "epsilon", **fields)
    if start.dtype == torch.float64:  # it keeps its schedule in f32
        s.alphas_cumprod = double_schedule(schedule, first, last, zero)
        s.final_alpha_cumprod = torch.tensor(1.0).double()
    s.set_timesteps(int(options["steps"]))
    x, w = start.clone(), float(options.get("guidance", 1))
    label = torch.full((len(x),), int(options.get("class", 0)))
    with torch.no_grad():
        for t in s.timesteps:
            if net.config.num_class_embeds is None:
                told = net(x, t).sample
            else:
                told = net(x, t, class_labels=label).sample
                if w != 1:
                    null = net(x, t, class_labels=torch.full_like(label, CLASSES)).sample
                    told = null + w * (told - null)
            x = s.step(told, t, x).prev_sample
    return x


def pictures(count, side, channels):
    """Discs of one colour on another, each of ten places a class."""
    random = np.random.RandomState(1)
    y, x = np.mgrid[:side, :side] / side
    labels = np.arange(count) % CLASSES
    angle = 2 * np.pi * labels / CLASSES
    to_x, to_y = (f(angle)[:, None, None] / 4 + 0.5 for f in (np.cos, np.sin))
    inside = np.hypot(x - to_x, y - to_y) < 0.2
    colors = random.randint(0, 256, (2, count, 1, 1, channels))
    return np.where(inside[..., None], colors[0], colors[1]).astype("u1"), labels.astype("<i4")


def own(gyre, config, denoise, text, start, folder):
    """gyre's samples, and the network as diffusers reads it."""
    torch.manual_seed(1)
    UNet2DModel(**config).save_pretrained(folder / "net")
    _, c, h, _ = start.shape
    with h5py.File(folder / "data.h5", "w") as f:
        for part, count in (("train", 1000), ("test", 10)):
            f[f"{part}/images"], f[f"{part}/labels"] = pictures(count, h, c)
    half = [0.5] * c
    (folder / "config.json").write_text(json.dumps({
        "data": {"path": "data.h5", "augment": {"normalize": {"mean": half, "std": half}}},
        "model": {"config": "net", "init_from": "net"}, "denoise": denoise, "batch": {"size": 16},
        "length": {"steps": 300}, "schedule": {"policy": "constant", "base_lr": 1e-3}, "optimizer": {"name": "adamw"}}))
    with h5py.File(folder / "start.h5", "w") as f:
        f["latents"] = start.permute(0, 2, 3, 1).contiguous().numpy()
    for command in (f"train {folder}/config.json --out {folder}/run --quiet",
                    f"export safetensors {folder}/run -o {folder}/trained/",
                    f"sample {folder}/run --start {folder}/start.h5 --latents {folder}/out.h5 --quiet {text}"):
        done = subprocess.run([gyre, *command.split()], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"gyre {command}: {done.stderr}")
    with h5py.File(folder / "out.h5") as f:
        samples = torch.from_numpy(f["latents"][:]).permute(0, 3, 1, 2).double() / 127.5 - 1
    return samples, UNet2DModel.from_pretrained(folder / "trained", low_cpu_mem_usage=False).eval()


def compare(gyre, name):
    config, denoise, fields, text = CASES[name]
    h, c = config["sample_size"], config.get("in_channels", 3)
    start = torch.randn(COUNT, c, h, h, generator=torch.Generator().manual_seed(2))
    with tempfile.TemporaryDirectory() as t:
        a, net = own(gyre, config, denoise, text, start, pathlib.Path(t))
    options = options_of(text)
    b = theirs(net, denoise, fields, options, start).double()
    exact = theirs(copy.deepcopy(net).double(), denoise, fields, options, start.double())
    pixels = [torch.round((x / 2 + 0.5).clamp(0, 1) * 255) for x in (a, b)]
    apart = [(x - y).abs().max().item() for x, y in ((a, exact), (b, exact), (a, b))]
    same = (pixels[0] == pixels[1]).double().mean().item()
    print(f"| {name} | {apart[0]:.1e} | {apart[1]:.1e} | {apart[2]:.1e} | {100 * same:.2f} % |", flush=True)
    return apart[2]


if __name__ == "__main__":
    print("| network | gyre from double | PyTorch f32 from double | gyre from PyTorch | equal pixels |")
    print("|---|---|---|---|---|")
    apart = max(compare(sys.argv[1], name) for name in sys.argv[2:] or CASES)
    sys.exit(not apart <= 1e-3)
