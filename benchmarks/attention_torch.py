"""PyTorch's scaled_dot_product_attention on one thread: the layers of attention.c, heads side by side in memory.

    python3 attention_torch.py [f32|bf16] [ROUNDS]

Processor time of forward and backward in milliseconds, medians.
"""
import statistics
import sys
import time

import torch
from torch.nn.functional import scaled_dot_product_attention

LAYERS = [(64, 64, 4, 64), (64, 256, 4, 64), (64, 64, 4, 32), (64, 64, 3, 64)]


def heads_of(n, tokens, heads, d, kind):
    return torch.randn(n, tokens, heads * d).to(kind).view(n, tokens, heads, d).transpose(1, 2)


def measure(layer, kind, rounds):
    q, k, v = [heads_of(*layer, kind).requires_grad_() for _ in range(3)]
    dy, seconds = heads_of(*layer, kind), ([], [])
    for turn in range(rounds + 1):
        begun = time.thread_time()
        y = scaled_dot_product_attention(q, k, v)
        between = time.thread_time()
        torch.autograd.grad(y, (q, k, v), dy)
        if turn > 0:
            seconds[0].append(between - begun)
            seconds[1].append(time.thread_time() - between)
    return [statistics.median(s) for s in seconds]


def main():
    kind = torch.bfloat16 if sys.argv[1:2] == ["bf16"] else torch.float32
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}\n| n | tokens | heads | d | forward, ms | GFLOP/s | backward, ms | GFLOP/s |\n"
          "|---|---|---|---|---|---|---|---|")
    for layer in LAYERS:
        n, tokens, heads, d = layer
        forward, backward = measure(layer, kind, rounds)
        flop = 4 * n * tokens * tokens * heads * d
        print("| " + " | ".join(map(str, layer)) + f" | {1e3 * forward:.2f} | {flop / forward / 1e9:.0f} |"
              f" {1e3 * backward:.2f} | {2.5 * flop / backward / 1e9:.0f} |", flush=True)


if __name__ == "__main__":
    main()
