# SPDX-License-Identifier: Apache-2.0
"""Writes the archives that the TorchScript tests read. Needs PyTorch (these were written by 2.15, rich.pt
and what follows it by 2.13). old.pt is rich.pt, read and written again by LibTorch 1.13: `torch::jit::load(…).save(…)`.
"""
import pathlib, torch
from typing import Dict, List, Optional, Tuple


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(2)
        torch.nn.init.constant_(self.conv.weight, 1.0)
        torch.nn.init.constant_(self.conv.bias, 0.5)
        self.norm.running_mean.fill_(1.0)
        self.norm.running_var.fill_(4.0 - self.norm.eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(x)))

    @torch.jit.export
    def pair(self, x: torch.Tensor, y: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        return x + y, x - y

    @torch.jit.export
    def parts(self, x: torch.Tensor) -> List[torch.Tensor]:
        return [x[i] for i in range(x.size(0))]

    @torch.jit.export
    def number(self, x: torch.Tensor) -> int:
        return x.numel()


class Counter(torch.nn.Module):
    """Writes to its own buffer on every call, in evaluation mode too."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(8192))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.seen.add_(x).clone()


class Rich(torch.nn.Module):
    """Values of every kind that an archive's pickle can hold."""

    table: Dict[str, List[int]]
    maybe: Optional[int]
    tensors: List[Optional[torch.Tensor]]

    def __init__(self):
        super().__init__()
        self.table, self.maybe, self.tensors = {"a": [1, 2], "b": []}, None, [None, torch.ones(1)]
        self.names, self.reals, self.triple = ["x", "y"], [1.5], (1, 2.0, "z")
        self.nested, self.keyed, self.big = [[1, 2], [3]], {1: {"q": 2.0}}, 2**40
        self.flags, self.parts = [True, False], [torch.ones(2), torch.ones(3)]
        self.register_buffer("turned", torch.arange(12.0).view(3, 4).t())
        self.register_buffer("none", torch.empty(0))
        self.register_buffer("short", torch.ones(2, dtype=torch.float16))
        self.register_buffer("pair", torch.ones(2, dtype=torch.complex64))
        self.register_buffer("mask", torch.tensor([float("-inf"), 0.0]))
        self.register_buffer("flag", torch.tensor([True]))
        self.register_buffer("wide", torch.ones(2, dtype=torch.float64))
        self.register_buffer("view", torch.arange(10.0)[3:7])
        quantized = torch.quantize_per_tensor(torch.ones(4), 0.5, 1, torch.quint8)
        scales, zeros = torch.ones(2), torch.zeros(2, dtype=torch.int64)
        channels = torch.quantize_per_channel(torch.ones(2, 3), scales, zeros, 0, torch.qint8)
        self.register_buffer("quantized", quantized)
        self.register_buffer("channels", channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sum = x + self.table["a"][1] + self.parts[0][0] + self.triple[1] + self.keyed[1]["q"]
        return sum + self.view[0] + self.turned[1, 2] + torch.tensor([0.5])


class Named(torch.nn.Module):
    """Gives a dictionary, as torchvision's networks of segmentation do."""

    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"out": 2 * x, "aux": -x}

    @torch.jit.export
    def single(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"only": 3 * x}


class Attention(torch.nn.Module):
    """Uses an operator that LibTorch 1.13 does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(x, x, x)


folder = pathlib.Path(__file__).parent
torch.jit.script(Net()).save(str(folder / "net.pt"))
torch.jit.script(Counter()).save(str(folder / "counter.pt"))
torch.jit.script(Rich()).save(str(folder / "rich.pt"))
torch.save(Net().state_dict(), folder / "weights.pth")
torch.jit.script(Named()).save(str(folder / "named.pt"))
torch.jit.trace(Attention(), torch.rand(1, 4, 8)).save(str(folder / "attention.pt"))
torch.export.save(torch.export.export(Net().eval(), (torch.rand(1, 1, 4, 4),)), folder / "exported.pt2")
