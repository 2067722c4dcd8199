#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Tests/Fixtures/FlowNet/*.safetensors: tiny FlowNet-S networks, two of them at sizes that are
no multiple of 64, with an input and what PyTorch gives for it. The network is that of the usual port
(github.com/ClementPinard/FlowNetPytorch), with all channels scaled. Needs torch and safetensors."""
import os, sys
import torch, torch.nn as nn
from safetensors.torch import save_file


def conv(normalised, inputs, outputs, kernel=3, stride=1):
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=not normalised)
    normalisation = [nn.BatchNorm2d(outputs)] if normalised else []
    return nn.Sequential(convolution, *normalisation, nn.LeakyReLU(0.1))


def predict_flow(inputs):
    return nn.Conv2d(inputs, 2, 3, 1, 1, bias=False)


def deconv(inputs, outputs):
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.LeakyReLU(0.1))


def crop_like(tensor, target):
    return tensor[:, :, :target.size(2), :target.size(3)]


class FlowNetS(nn.Module):
    def __init__(self, width, normalised, finest):
        super().__init__()
        self.finest = finest
        c = lambda channels: max(1, round(channels * width))
        bn = normalised
        self.conv1 = conv(bn, 6, c(64), 7, 2)
        self.conv2 = conv(bn, c(64), c(128), 5, 2)
        self.conv3 = conv(bn, c(128), c(256), 5, 2)
        self.conv3_1 = conv(bn, c(256), c(256))
        self.conv4 = conv(bn, c(256), c(512), 3, 2)
        self.conv4_1 = conv(bn, c(512), c(512))
        self.conv5 = conv(bn, c(512), c(512), 3, 2)
        self.conv5_1 = conv(bn, c(512), c(512))
        self.conv6 = conv(bn, c(512), c(1024), 3, 2)
        self.conv6_1 = conv(bn, c(1024), c(1024))
        inputs = c(1024)
        self.predict_flow6 = predict_flow(inputs)
        skips = {5: c(512), 4: c(512), 3: c(256), 2: c(128), 1: c(64), 0: 6}
        for level in range(5, finest - 1, -1):
            outputs = c(min(512, 16 << level))
            setattr(self, f"deconv{level}", deconv(inputs, outputs))
            up = nn.ConvTranspose2d(2, 2, 4, 2, 1, bias=False)
            setattr(self, f"upsampled_flow{level + 1}_to_{level}", up)
            inputs = skips[level] + outputs + 2
            setattr(self, f"predict_flow{level}", predict_flow(inputs))

    def forward(self, images):
        skips = {0: images, 1: self.conv1(images)}
        skips[2] = self.conv2(skips[1])
        for level in range(3, 7):
            down = getattr(self, f"conv{level}")(skips[level - 1])
            skips[level] = getattr(self, f"conv{level}_1")(down)
        features = skips[6]
        flow = self.predict_flow6(features)
        results = {"predict_flow6": flow, "conv6_1": features}
        for level in range(5, self.finest - 1, -1):
            up = getattr(self, f"deconv{level}")(features)
            moved = getattr(self, f"upsampled_flow{level + 1}_to_{level}")(flow)
            features = torch.cat(
                (skips[level], crop_like(up, skips[level]), crop_like(moved, skips[level])), 1)
            flow = getattr(self, f"predict_flow{level}")(features)
            results[f"predict_flow{level}"] = flow
        results[f"concat{self.finest}"] = features
        return results


def main():
    folder = os.path.join(os.path.dirname(__file__), "../../Tests/Fixtures/FlowNet")
    for name, normalised, finest, size in [
        ("plain", False, 2, (64, 64)), ("odd", False, 2, (37, 50)), ("norm", True, 0, (33, 40)),
    ]:
        torch.manual_seed(3)
        network = FlowNetS(1 / 64, normalised, finest).eval()
        for parameter in network.parameters():
            parameter.data.uniform_(-0.5, 0.5)
        for key, buffer in network.named_buffers():
            if buffer.dtype == torch.float32:
                buffer.uniform_(0.5, 1.5)
        state = {k: v for k, v in network.state_dict().items() if v.dtype == torch.float32}
        images = torch.rand(1, 6, *size)
        with torch.no_grad():
            results = network(images)
        tensors = {f"network.{key}": value for key, value in state.items()}
        tensors |= {f"output.{key}": value for key, value in results.items()}
        tensors["images"] = images
        tensors = {key: value.contiguous() for key, value in tensors.items()}
        save_file(tensors, f"{folder}/{name}.safetensors")


main()
