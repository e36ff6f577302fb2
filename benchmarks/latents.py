"""Pictures with captions become latents and contexts, train a U-Net, and its samples become pictures again.

    python3 latents.py GYRE

GYRE is the program. The scripts are those of configs/stable_diffusion, on a folder of Stable Diffusion in little, with
random weights, that this script makes. Then: the latents and contexts are those of diffusers and transformers; the
network that gyre trained and exported gives the same samples by diffusers' DDIMScheduler, with guidance, from one start
noise; captions that are missing and pictures of several sizes are refused. Prints the largest distance of the samples.
Needs diffusers, transformers, torch, h5py.
"""
import json, pathlib, subprocess, sys, tempfile

import h5py, numpy as np, torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "configs/stable_diffusion"
CROSS, SIDE, STEPS, GUIDANCE = 16, 64, 30, 3


def make_model(folder):
    folder.mkdir()
    torch.manual_seed(1)
    AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                  block_out_channels=[8, 8, 8, 8], norm_num_groups=4, latent_channels=4).save_pretrained(folder / "vae")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = letters + [c + "</w>" for c in letters] + ["<|startoftext|>", "<|endoftext|>"]
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer/vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "tokenizer/merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "tokenizer/vocab.json"), str(folder / "tokenizer/merges.txt"),
                  model_max_length=77).save_pretrained(folder / "tokenizer")
    CLIPTextModel(CLIPTextConfig(vocab_size=len(words), hidden_size=CROSS, intermediate_size=32, num_hidden_layers=2,
                                 num_attention_heads=2, bos_token_id=len(words) - 2,
                                 eos_token_id=len(words) - 1)).save_pretrained(folder / "text_encoder")
    UNet2DConditionModel(sample_size=8, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
                         cross_attention_dim=CROSS, attention_head_dim=4,
                         down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                         up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")).save_pretrained(folder / "unet")


def make_pictures(folder):
    random = np.random.RandomState(1)
    folder.mkdir()
    for i in range(10):
        name = ["a brown dog", "a cat"][i % 2] + f"_{i}.png" if i < 8 else f"{i}.png"
        Image.fromarray(random.randint(0, 256, (SIDE + 8 * i, SIDE, 3)).astype("u1")).save(folder / name)
        if i >= 8:
            (folder / f"{i}.txt").write_text("a bird\n")


def run(*command, refused=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if refused is None and done.returncode != 0:
        raise SystemExit(f"{command}: {done.stderr}")
    if refused is not None and (done.returncode == 0 or refused not in done.stderr):
        raise SystemExit(f"{command}: expected '{refused}', found: {done.stderr}")


def check_dataset(t):
    vae = AutoencoderKL.from_pretrained(t / "model/vae").eval()
    tokenizer = CLIPTokenizer.from_pretrained(t / "model/tokenizer")
    encoder = CLIPTextModel.from_pretrained(t / "model/text_encoder").eval()
    with h5py.File(t / "data.h5") as f, torch.no_grad():
        captions = [c.decode() for c in f["captions"]]
        assert captions == ["", "a bird", "a brown dog", "a cat"], captions
        assert list(f["train/contexts"]) == [1, 1, 2, 2, 2, 2, 3, 3, 3, 3], f["train/contexts"][:]
        ids = tokenizer(captions, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        assert np.abs(encoder(ids)[0].numpy() - f["contexts"][:]).max() < 1e-5
        assert f["train/latents"].shape == (10, SIDE // 8, SIDE // 8, 8)
        assert (f["train/latents"][..., 4:] > 0).all()


def theirs(t, start, context):
    net = UNet2DConditionModel.from_pretrained(t / "trained", low_cpu_mem_usage=False).eval()
    s = DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False)
    s.set_timesteps(STEPS)
    with h5py.File(t / "data.h5") as f:
        table = torch.from_numpy(f["contexts"][:])
    x, of = start.clone(), lambda i: table[i][None].expand(len(start), -1, -1)
    with torch.no_grad():
        for step in s.timesteps:
            null, told = net(x, step, of(0)).sample, net(x, step, of(context)).sample
            x = s.step(null + GUIDANCE * (told - null), step, x).prev_sample
    return x


def samples(gyre, t):
    config = {"data": {"path": "data.h5", "augment": {"normalize": "raw"}, "validation": {"split": 0.2}},
              "model": {"config": "model/unet", "init_from": "model/unet"},
              "denoise": {"noise": "scaled_linear", "drop_condition": 0.1}, "batch": {"size": 4}, "length": {"steps": 200},
              "schedule": {"policy": "constant", "base_lr": 1e-3}, "optimizer": {"name": "adamw"}}
    (t / "config.json").write_text(json.dumps(config))
    start = torch.randn(3, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(2))
    with h5py.File(t / "start.h5", "w") as f:
        f["latents"] = start.permute(0, 2, 3, 1).contiguous().numpy()
    run(gyre, "train", t / "config.json", "--out", t / "run", "--quiet")
    run(gyre, "export", "safetensors", t / "run", "-o", f"{t}/trained/")
    run(gyre, "sample", t / "run", "--start", t / "start.h5", "--latents", t / "out.h5", "--quiet", "--class", 2,
        "--guidance", GUIDANCE, "--steps", STEPS, "--clip", "no")
    with h5py.File(t / "out.h5") as f:
        own = torch.from_numpy(f["latents"][:]).permute(0, 3, 1, 2)
    return (own - theirs(t, start, 2)).abs().max().item()


if __name__ == "__main__":
    gyre = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        t = pathlib.Path(folder)
        make_model(t / "model")
        make_pictures(t / "pictures")
        encode = (sys.executable, SCRIPTS / "encode.py", t / "model", t / "pictures", t / "data.h5")
        run(*encode, refused="expected are pictures of one size")
        run(*encode, "--size", SIDE)
        check_dataset(t)
        apart = samples(gyre, t)
        run(sys.executable, SCRIPTS / "decode.py", t / "model", t / "out.h5", t / "samples")
        assert Image.open(t / "samples/2.png").size == (SIDE, SIDE)
        (t / "pictures/8.txt").unlink()
        run(*encode, "--size", SIDE, refused="8.png: no caption: expected 8.txt beside it")
    print(f"samples with guidance {GUIDANCE}, {STEPS} steps: at most {apart:.1e} from diffusers'")
    sys.exit(not apart <= 1e-3)
