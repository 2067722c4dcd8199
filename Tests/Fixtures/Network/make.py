# SPDX-License-Identifier: Apache-2.0
"""Writes the networks that the tests of the tool run. Needs PyTorch (these were written by 2.15, camvid.pt, depth.pt and
detector.pt and products.pt by 2.13).

tiny.pt tells four colours apart, so that what it says of a picture can be told by hand: planes for
dark, blue, green and red, each the mean of that colour over 3×3 pixels less that of the others.
staged.pt exports its two stages as methods, so that features can be tapped.
camvid.pt scores CamVid's classes and void, and was traced as Docs/Guides/Adding-a-backbone.md says.
weights.pth and pickle.pth are what people save by mistake; broken.pt fails on every picture,
and the methods of outputs.pt give what is no map of one. depth.pt gives depths, detector.pt boxes.
"""
import pathlib, torch
from typing import Dict, List, Tuple


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


class CamVid(torch.nn.Module):
    """A plane for each of CamVid's eleven classes, and one for void: some function of colours."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.score = torch.nn.Conv2d(3, 12, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.score(x)


class Outputs(torch.nn.Module):
    """What a program may give that is no map of the picture: an exported method for each."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3, 3, 3, 3))

    @torch.jit.export
    def none_of_a_batch(self, x: torch.Tensor) -> torch.Tensor:
        return x[:0]

    @torch.jit.export
    def two_of_a_batch(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x])

    @torch.jit.export
    def parameter(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight

    @torch.jit.export
    def three_axes(self, x: torch.Tensor) -> torch.Tensor:
        return x[0]

    @torch.jit.export
    def number(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum()

    @torch.jit.export
    def no_rows(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :0]

    @torch.jit.export
    def no_channels(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :0]

    @torch.jit.export
    def classes(self, x: torch.Tensor) -> torch.Tensor:
        return x.argmax(1, keepdim=True)

    @torch.jit.export
    def nothing(self, x: torch.Tensor) -> List[torch.Tensor]:
        outputs: List[torch.Tensor] = []
        return outputs

    @torch.jit.export
    def sparse(self, x: torch.Tensor) -> torch.Tensor:
        return x.to_sparse()

    @torch.jit.export
    def without_memory(self, x: torch.Tensor) -> torch.Tensor:
        return torch.empty([1, 3, 4, 4], device="meta")

    @torch.jit.export
    def smaller(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, ::2, ::2]

    @torch.jit.export
    def plane(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1] * 2 - 0.5

    @torch.jit.export
    def likelihood(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1]

    @torch.jit.export
    def not_a_number(self, x: torch.Tensor) -> torch.Tensor:
        return x / (x - x)

    @torch.jit.export
    def infinite(self, x: torch.Tensor) -> torch.Tensor:
        scores = x.clone()
        scores[0, 0, 0, 0] = float("-inf")
        return scores

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Depth(torch.nn.Module):
    """Inverse depths without the axis of their only plane, in a dictionary: half of the first plane and 0.1."""

    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"depth": x[:, 0] * 0.5 + 0.1, "other": x}


class Detector(torch.nn.Module):
    """Rows as YOLOv8 has them, of two boxes of two classes; the second covers the first's half. Another tensor after it."""

    def forward(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        rows = torch.tensor([[8.0, 12.0], [6.0, 6.0], [8.0, 8.0], [4.0, 4.0], [0.9, 0.2], [0.1, 0.75]])
        return rows[None].to(torch.float16), x


class Products(torch.nn.Module):
    """A product of each kind, whose multiply-adds can be counted by hand."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(7, 5)
        self.up = torch.nn.ConvTranspose2d(3, 4, 2, stride=2)
        self.wide = torch.nn.Conv2d(4, 6, 3, padding="same", dilation=2, groups=2)

    def forward(self, x: torch.Tensor):
        maps = self.wide(self.up(x))
        rows = self.linear(maps[:, :, :7, :7].reshape(-1, 7))
        return maps, torch.bmm(rows[None], rows.t()[None])


folder = pathlib.Path(__file__).parent
torch.jit.script(Products().eval()).save(str(folder / "products.pt"))
torch.jit.script(Depth().eval()).save(str(folder / "depth.pt"))
torch.jit.script(Detector().eval()).save(str(folder / "detector.pt"))
torch.jit.script(Tiny().eval()).save(str(folder / "tiny.pt"))
torch.jit.script(Broken().eval()).save(str(folder / "broken.pt"))
torch.jit.script(Staged().eval()).save(str(folder / "staged.pt"))
torch.jit.trace(CamVid().eval(), torch.rand(1, 3, 360, 480)).save(str(folder / "camvid.pt"))
torch.jit.script(Outputs().eval()).save(str(folder / "outputs.pt"))
torch.save(Tiny().state_dict(), folder / "weights.pth")
torch.save(Tiny().state_dict(), folder / "pickle.pth", _use_new_zipfile_serialization=False)
