"""gyre's `vit` in PyTorch, as docs/models.md has it."""
import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = [nn.Linear(c, c) for _ in range(4)]

    def forward(self, x):
        q, k, v = [f(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v)]
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(c, 1e-6), nn.LayerNorm(c, 1e-6)
        self.attn, self.mlp = Attention(c, heads), nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x))))


class ViT(nn.Module):  # vit, for 32 x 32
    def __init__(self, channels, side, classes, c=192, depth=6, heads=3, patch=4):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(channels, c, patch, patch)
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2, c))
        self.blocks = nn.Sequential(*[Block(c, heads) for _ in range(depth)])
        self.fc_norm, self.head = nn.LayerNorm(c, 1e-6), nn.Linear(c, classes)

    def forward(self, x):
        x = self.patch_embed.proj(x).flatten(2).transpose(1, 2) + self.pos_embed
        return self.head(self.fc_norm(self.blocks(x).mean(1)))
