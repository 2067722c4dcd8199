# SPDX-License-Identifier: Apache-2.0
"""Writes the networks that the tests of the tool run. Needs PyTorch (these were written by 2.15).

tiny.pt tells four colours apart, so that what it says of a picture can be told by hand: planes for
dark, blue, green and red, each the mean of that colour over 3×3 pixels less that of the others.
staged.pt exports its two stages as methods, so that features can be tapped.
weights.pth and pickle.pth are what people save by mistake; broken.pt fails on every picture.
"""
import pathlib, torch


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.smooth = torch.nn.Conv2d(3, 3, 3, padding=1, groups=3, padding_mode="replicate")
        self.score = torch.nn.Conv2d(3, 4, 1)
        torch.nn.init.constant_(self.smooth.weight, 1 / 9)
        torch.nn.init.zeros_(self.smooth.bias)
        weight = torch.tensor([[0, 0, 0], [2, -1, -1], [-1, 2, -1], [-1, -1, 2]])
        self.score.weight.data = weight.float().view(4, 3, 1, 1)
        self.score.bias.data = torch.tensor([0.5, 0.0, 0.0, 0.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.score(self.smooth(x))


class Broken(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(7, 7)


class Staged(torch.nn.Module):
    """Two exported stages: features at half the size, and scores of the same stride."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.low = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.high = torch.nn.Conv2d(8, 4, 1)

    @torch.jit.export
    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.low(x))

    @torch.jit.export
    def scores(self, x: torch.Tensor) -> torch.Tensor:
        return self.high(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(self.features(x))


folder = pathlib.Path(__file__).parent
torch.jit.script(Tiny().eval()).save(str(folder / "tiny.pt"))
torch.jit.script(Broken().eval()).save(str(folder / "broken.pt"))
torch.jit.script(Staged().eval()).save(str(folder / "staged.pt"))
torch.save(Tiny().state_dict(), folder / "weights.pth")
torch.save(Tiny().state_dict(), folder / "pickle.pth", _use_new_zipfile_serialization=False)
