# SPDX-License-Identifier: Apache-2.0
"""Writes the archives that the TorchScript tests read. Needs PyTorch (these were written by 2.15)."""
import pathlib, torch
from typing import List, Tuple


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


folder = pathlib.Path(__file__).parent
torch.jit.script(Net()).save(str(folder / "net.pt"))
torch.jit.script(Counter()).save(str(folder / "counter.pt"))
torch.save(Net().state_dict(), folder / "weights.pth")
