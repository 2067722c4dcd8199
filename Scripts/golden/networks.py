#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/Network/*.safetensors: layers and small networks with what PyTorch (2.15) and
torchvision (0.29) compute with them, and prints the digests of torchvision's parameter names.

Needs torch, torchvision and safetensors. Weights are stored, and used, as half precision."""
import pathlib, torch, torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/Network"


def halves(*shape):
    return torch.randn(*shape).half().float()


def randomise(network):
    """Values unlike a fresh network's, so that no scale, shift or statistic goes unnoticed."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.dim() == 1:
                value.uniform_(-0.5, 0.5).add_(1 if name.endswith("weight") else 0)
            else:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
            value.copy_(value.half())


def weights(network, prefix):
    return {prefix + name: value.half() for name, value in network.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def save(name, tensors):
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()},
              FOLDER / f"{name}.safetensors")


def trained(network, x, direction, prefix, names):
    """Gradients of (output · direction) and the statistics after one pass of training."""
    network.train()
    x = x.clone().requires_grad_()
    (network(x) * direction).sum().backward()
    out = {prefix + "gradient.input": x.grad, prefix + "direction": direction}
    parameters, state = dict(network.named_parameters()), network.state_dict()
    for name in names:
        is_learned = name in parameters
        out[f"{prefix}{'gradient' if is_learned else 'after'}.{name}"] = (
            parameters[name].grad if is_learned else state[name])
    return out


def layers():
    out = {}
    for name, layer, shape in [
        ("convolution", nn.Conv2d(6, 4, (3, 5), (2, 1), (1, 2), (1, 2), 2), (2, 6, 9, 11)),
        ("transposed", nn.ConvTranspose2d(4, 6, 4, 2, 1, groups=2), (2, 4, 5, 3)),
        ("normalisation", nn.BatchNorm2d(3), (2, 3, 4, 5)),
    ]:
        randomise(layer)
        x = halves(*shape)
        out |= weights(layer, f"{name}.") | {f"{name}.input": x, f"{name}.output": layer.eval()(x)}
        names = [key for key in layer.state_dict() if not key.endswith("tracked")]
        direction = halves(*layer(x).shape)
        out[f"{name}.trained"] = layer.train()(x)
        randomise_back = {key: out[f"{name}.{key}"].float() for key in names}
        layer.load_state_dict(randomise_back, strict=False)
        out |= trained(layer, x, direction, f"{name}.", names)
    x = halves(2, 3, 7, 10)
    out["input"] = x
    out["largest"] = F.max_pool2d(x, 3, 2, 1)
    out["mean"] = F.avg_pool2d(x, (2, 3))
    out["adaptive"] = F.adaptive_avg_pool2d(x, (3, 4))
    out["leaky"] = F.leaky_relu(x, 0.1)
    out["halfPixel"] = F.interpolate(x, (15, 4), mode="bilinear", align_corners=False)
    out["alignCorners"] = F.interpolate(x, (15, 4), mode="bilinear", align_corners=True)
    save("layers", out)


class Narrow(torchvision.models.ResNet):
    """torchvision's network with a 32nd of the channels."""

    @property
    def inplanes(self):
        return self._inplanes

    @inplanes.setter
    def inplanes(self, value):
        self._inplanes = value if hasattr(self, "_inplanes") else value // 32

    def _make_layer(self, block, planes, *rest, **named):
        return super()._make_layer(block, planes // 32, *rest, **named)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def narrow(block, counts, stride):
    dilated = [False, stride <= 8, stride <= 16]
    if block is Bottleneck:
        return Narrow(block, counts, replace_stride_with_dilation=dilated)
    network, dilation = Narrow(block, counts), 1
    # torchvision dilates no basic blocks: by hand, the first of a stage as before it, as it does.
    for layer, replaced in [(network.layer3, dilated[1]), (network.layer4, dilated[2])]:
        if not replaced:
            continue
        layer[0].conv1.stride = layer[0].downsample[0].stride = (1, 1)
        for index, basic in enumerate(layer):
            for convolution in [basic.conv1, basic.conv2]:
                convolution.dilation = convolution.padding = (dilation, dilation)
            dilation *= 2 if index == 0 else 1
    return network


def resnet(name, block, counts, stride_trained, names):
    x, first = halves(2, 3, 33, 47), narrow(block, counts, 32)
    del first.fc
    randomise(first)
    out = weights(first, "encoder.") | {"input": x}
    for stride in [8, 16, 32]:
        network = narrow(block, counts, stride)
        del network.fc
        network.load_state_dict(first.state_dict())
        out[f"stride{stride}"] = network.eval()(x)
        if stride == stride_trained:
            out |= trained(network, x, halves(*out[f"stride{stride}"].shape), "", names)
    save(name, out)


class Block(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1, dilation=1, rectified=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 * dilation, dilation,
                              bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.rectified = rectified

    def forward(self, x):
        x = self.bn(self.conv(x))
        return x.relu() if self.rectified else x


class Light(nn.Module):
    def __init__(self, stride_out, width=0.125):
        super().__init__()
        inputs = int(16 * width)
        self.stem = Block(3, inputs, 3, 2)
        self.strides, self.channels = [2], [inputs]
        stride, dilation = 2, 1
        for index, (channels, count) in enumerate([(32, 1), (64, 2), (96, 2), (128, 2)]):
            outputs, step = int(channels * width), 2 if stride < stride_out else 1
            dilation *= 1 if step == 2 else 2
            stride *= step
            blocks = []
            for number in range(count):
                down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, step, bias=False),
                                     nn.BatchNorm2d(outputs)) if number == 0 else None
                block = BasicBlock(inputs, outputs, step if number == 0 else 1, down)
                for convolution in [block.conv1, block.conv2]:
                    convolution.dilation = convolution.padding = (dilation, dilation)
                blocks.append(block)
                inputs = outputs
            setattr(self, f"stage{index + 1}", nn.Sequential(*blocks))
            self.strides.append(stride)
            self.channels.append(outputs)

    def forward(self, x):
        outputs = [self.stem(x)]
        for index in range(4):
            outputs.append(getattr(self, f"stage{index + 1}")(outputs[-1]))
        return outputs


def resized(x, like):
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)


class Pyramid(nn.Module):
    def __init__(self, inputs, outputs, bins=(1, 2, 3)):
        super().__init__()
        width = inputs // len(bins)
        self.bins = bins
        self.branches = nn.ModuleList(nn.Conv2d(inputs, width, 1) for _ in bins)
        self.fusion = Block(inputs + width * len(bins), outputs, 3)

    def forward(self, x):
        parts = [resized(branch(F.adaptive_avg_pool2d(x, bins)).relu(), x)
                 for bins, branch in zip(self.bins, self.branches)]
        return self.fusion(torch.cat([x] + parts, 1))


class Atrous(nn.Module):
    def __init__(self, inputs, outputs, rates=(2, 3)):
        super().__init__()
        self.branches = nn.ModuleList(
            [Block(inputs, outputs, 1)] + [Block(inputs, outputs, 3, 1, rate) for rate in rates])
        self.mean = nn.Conv2d(inputs, outputs, 1)
        self.fusion = Block(outputs * (len(rates) + 2), outputs, 1)

    def forward(self, x):
        mean = self.mean(x.mean((2, 3), keepdim=True)).relu().expand(-1, -1, *x.shape[2:])
        return self.fusion(torch.cat([branch(x) for branch in self.branches] + [mean], 1))


class Network(nn.Module):
    def __init__(self, stride, context, joins):
        super().__init__()
        self.encoder = Light(stride)
        self.context, channels = context(self.encoder.channels[-1], 8), 8
        self.decoder = nn.ModuleDict()
        for stride, outputs in joins:
            fine = self.encoder.channels[self.encoder.strides.index(stride)]
            self.decoder[str(stride)] = nn.ModuleDict(
                {"lateral": Block(fine, channels, 1, rectified=False),
                 "fusion": Block(channels, outputs, 3)})
            channels = outputs
        self.classifier = nn.Conv2d(channels, 11, 1)

    def forward(self, x):
        features = self.encoder(x)
        x = self.context(features[-1])
        for stride, step in self.decoder.items():
            side = step["lateral"](features[self.encoder.strides.index(int(stride))])
            x = step["fusion"]((side + resized(x, side)).relu())
        return self.classifier(x)


def segmentation(name, stride, context, joins, names):
    network = Network(stride, context, joins)
    randomise(network)
    x = halves(2, 3, 37, 53)
    scores = network.eval()(x)
    out = weights(network, "") | {"input": x, "scores": scores}
    save(name, out | trained(network, x, halves(*scores.shape), "", names))


def digest(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


torch.manual_seed(1)
layers()
some = ["conv1.weight", "bn1.weight", "bn1.bias", "layer3.0.downsample.0.weight",
        "layer4.0.conv2.weight", "bn1.running_mean", "layer4.1.bn2.running_var"]
resnet("resnet18", BasicBlock, [2, 2, 2, 2], 16, some)
resnet("resnet50", Bottleneck, [3, 4, 6, 3], 8, some + ["layer4.2.bn3.running_mean"])
ends = ["encoder.stem.conv.weight", "classifier.weight", "classifier.bias", "context.fusion.bn.bias"]
segmentation("pyramid", 16, Pyramid, [(8, 6), (4, 5)],
             ends + ["context.branches.1.weight", "decoder.8.lateral.conv.weight"])
segmentation("atrous", 8, Atrous, [], ends + ["context.mean.weight", "context.branches.2.conv.weight"])
for depth in [18, 34, 50, 101]:
    state = getattr(torchvision.models, f"resnet{depth}")().state_dict()
    lines = sorted(f"{name} {list(value.shape)}\n" for name, value in state.items()
                   if not name.startswith("fc.") and not name.endswith("num_batches_tracked"))
    print(depth, f"0x{digest(''.join(lines)):016X}")
