"""Trains one of gyre's nets in PyTorch for some steps and prints the median images/s.

    python3 torch_steps.py MODEL --batch N --steps K --format nchw|nhwc --precision f32|bf16 --threads T
                           [--compile] [--processor-time]

The nets are those that gyre is tested against (tests/data/torch), unet, which is diffusers' UNet2DModel as gyre's
zoo has it and tells noise, else torchvision's of that name, with 10 classes. Batches are made beforehand, so that PyTorch's figure has no loader in it; gyre's has.
Warm-up steps are left out, and with them what --compile takes.
"""
import argparse
import contextlib
import pathlib
import statistics
import sys
import time

import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/data/torch"))
import make_reference as nets  # noqa: E402

NETS = {"resnet20": "ResNet20", "cifar10_quick": "Cifar10Quick", "cifar10_full": "Cifar10Full"}


class Denoiser(torch.nn.Module):
    def __init__(self):
        super().__init__()
        from diffusers import DDPMScheduler, UNet2DModel
        self.net = UNet2DModel(sample_size=32, block_out_channels=(32, 64, 64), layers_per_block=2, norm_num_groups=8,
                               down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
                               up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"))
        self.register_buffer("alpha_bar", DDPMScheduler().alphas_cumprod)

    def forward(self, x):
        """The noise told, and the noise."""
        t, noise = torch.randint(0, len(self.alpha_bar), (len(x),)), torch.randn_like(x)
        kept = self.alpha_bar[t][:, None, None, None]
        return self.net(kept.sqrt() * x + (1 - kept).sqrt() * noise, t).sample, noise


def network(name):
    if name == "unet":
        return Denoiser()
    if name in NETS:
        return getattr(nets, NETS[name])()
    import torchvision
    return torchvision.models.get_model(name, weights=None, num_classes=10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", help=f"{', '.join(NETS)}, or one of torchvision's")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--format", choices=["nchw", "nhwc"], default="nhwc")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor-time", action="store_true", help="that of the process, not the clock's")
    parser.add_argument("--compile", action="store_true", help="by torch.compile; else eager")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    net = network(a.model)
    batches = [torch.randn(a.batch, 3, 32, 32) for _ in range(4)]
    if a.format == "nhwc":
        net = net.to(memory_format=torch.channels_last)
        batches = [b.contiguous(memory_format=torch.channels_last) for b in batches]
    model = torch.compile(net) if a.compile else net
    labels = torch.randint(0, 10, (a.batch,))
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    clock = time.process_time if a.processor_time else time.perf_counter
    seconds = []
    for t in range(a.warmup + a.steps):
        begun = clock()
        bf16 = torch.autocast("cpu", torch.bfloat16) if a.precision == "bf16" else contextlib.nullcontext()
        with bf16:
            out = model(batches[t % 4])
            loss = F.mse_loss(*out) if a.model == "unet" else F.cross_entropy(out, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        if t >= a.warmup:
            seconds.append(clock() - begun)
    print(f"{a.batch / statistics.median(seconds):.1f} {torch.__version__}")


if __name__ == "__main__":
    main()
