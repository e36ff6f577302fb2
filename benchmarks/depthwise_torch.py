"""Depthwise convolutions in PyTorch on one thread: the layers of depthwise.c, channels_last, f32.

    python3 depthwise_torch.py [BATCH] [ROUNDS]

Processor time of forward, dx and dw in microseconds, medians; tensors are too many for the caches.
"""
import statistics
import sys
import time

import torch

LAYERS = [(16, 32, 3, 1), (16, 96, 3, 2), (8, 144, 3, 1), (8, 144, 3, 2), (4, 192, 3, 1), (2, 384, 3, 1),
          (2, 576, 3, 1), (1, 960, 3, 1), (8, 144, 5, 2), (4, 240, 5, 1), (2, 672, 5, 1), (1, 1152, 5, 1)]
CACHE_BYTES = 96 << 20


def tensors(count, *shape):
    return [torch.zeros(shape).contiguous(memory_format=torch.channels_last) for _ in range(count)]


def measure(size, c, r, stride, batch, rounds):
    out = (size + 2 * (r // 2) - r) // stride + 1
    sets = 1 + CACHE_BYTES // (4 * batch * c * (size * size + out * out))
    x, dy = tensors(sets, batch, c, size, size), tensors(sets, batch, c, out, out)
    w = torch.zeros(c, 1, r, r).contiguous(memory_format=torch.channels_last)
    numbers = ([stride] * 2, [r // 2] * 2, [1, 1], False, [0, 0], c)
    backward = torch.ops.aten.convolution_backward
    kinds = [lambda i: torch.ops.aten.convolution(x[i], w, None, *numbers),
             lambda i: backward(dy[i], x[i], w, None, *numbers, [True, False, False]),
             lambda i: backward(dy[i], x[i], w, None, *numbers, [False, True, False])]
    seconds = [[], [], []]
    for turn in range(rounds + 1):
        for kind, run in enumerate(kinds):
            begun = time.thread_time()
            for i in range(sets):
                run(i)
            if turn > 0:
                seconds[kind].append((time.thread_time() - begun) / sets)
    return [1e6 * statistics.median(s) for s in seconds]


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}\n| image | filter/stride | forward, us | dx | dw |\n|---|---|---|---|---|")
    with torch.no_grad():
        for size, c, r, stride in LAYERS:
            times = measure(size, c, r, stride, batch, rounds)
            print(f"| {size}x{size}x{c} | {r}x{r}/{stride} | " + " | ".join(f"{t:.0f}" for t in times) + " |",
                  flush=True)


if __name__ == "__main__":
    main()
