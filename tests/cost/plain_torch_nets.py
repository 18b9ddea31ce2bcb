"""Independent architectures in plain torch, to hold our counts against fvcore's."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class BasicBlock(nn.Module):
    def __init__(self, ci: int, co: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(ci, co, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(co)
        self.conv2 = nn.Conv2d(co, co, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(co)
        same = stride == 1 and ci == co
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(ci, co, 1, stride), nn.BatchNorm2d(co))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 7, 2, 3, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        widths = [16, 16, 32, 64]
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(a, b, 1 if a == b else 2), BasicBlock(b, b, 1))
            for a, b in pairwise(widths)
        )
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // 4, 1)
        self.fc2 = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * functional.hardsigmoid(self.fc2(functional.relu(self.fc1(self.pool(x)))))


class MobileBlock(nn.Module):
    def __init__(self, ci: int, wide: int, co: int, kernel: int, stride: int, se: bool) -> None:
        super().__init__()
        self.residual = stride == 1 and ci == co
        self.layers = nn.Sequential(
            nn.Conv2d(ci, wide, 1, bias=False),
            nn.BatchNorm2d(wide, eps=1e-3, momentum=0.01),
            nn.Hardswish(),
            nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            SqueezeExcite(wide) if se else nn.Identity(),
            nn.Hardswish(),
            nn.Conv2d(wide, co, 1, bias=False),
            nn.BatchNorm2d(co),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.Hardswish(),
            MobileBlock(16, 16, 16, 3, 2, True),
            MobileBlock(16, 72, 24, 3, 2, False),
            MobileBlock(24, 88, 24, 5, 1, True),
            nn.Conv2d(24, 144, 1),
            nn.Hardswish(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.classifier = nn.Sequential(
            nn.Linear(144, 64), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(64, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


class DenseNet(nn.Module):
    def __init__(self, growth: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(16 + i * growth),
                nn.ReLU(),
                nn.Conv2d(16 + i * growth, growth, 3, padding=1, bias=False),
            )
            for i in range(4)
        )
        self.transition = nn.Sequential(
            nn.BatchNorm2d(48), nn.Conv2d(48, 24, 1, bias=False), nn.AvgPool2d(2, 2)
        )
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        features = [self.stem(x)]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        x = self.transition(torch.cat(features, 1))
        return self.head(x.mean((2, 3)))


class ShuffleBlock(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        half = channels // 2
        self.groups = groups
        self.conv1 = nn.Conv2d(half, half, 1, groups=groups, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.depthwise = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        right = functional.relu(self.bn1(self.conv1(right)))
        right = functional.relu(self.conv2(self.bn2(self.depthwise(right))))
        x = torch.cat([left, right], dim=1)
        n, c, h, w = x.shape
        return x.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 3, 2, 1), nn.ReLU6(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(ShuffleBlock(24, 3), ShuffleBlock(24, 3))
        self.fc = nn.Linear(24 * 16 * 16, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x))
        return self.fc(x.view(x.size(0), -1))


class InceptionBlock(nn.Module):
    def __init__(self, ci: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(ci, 8, 1)
        self.seven = nn.Sequential(
            nn.Conv2d(ci, 8, 1),
            nn.Conv2d(8, 12, (1, 7), padding=(0, 3)),
            nn.Conv2d(12, 16, (7, 1), padding=(3, 0)),
        )
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Conv2d(ci, 8, 1))
        self.max = nn.MaxPool2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.seven(x), self.pool(x), self.max(x)], 1)


class Inception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True))
        self.blocks = nn.Sequential(InceptionBlock(16), nn.ELU(), InceptionBlock(48), nn.LeakyReLU(0.1))
        self.reduce = nn.Conv2d(80, 32, 3, stride=2, padding=1, dilation=2)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.reduce(self.blocks(self.stem(x))))
        return functional.log_softmax(self.fc(x.amax((2, 3))), dim=1)


class LayerNormChannels(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, 4 * channels)
        self.project = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels) * 1e-2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.gamma * self.project(functional.gelu(self.expand(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 4, 4), LayerNormChannels(16))
        self.blocks = nn.Sequential(ConvNeXtBlock(16), ConvNeXtBlock(16))
        self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean((-2, -1)))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.GroupNorm(2, 8), nn.SiLU())
        self.deep = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.InstanceNorm2d(16, affine=True), nn.PReLU(16))
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.out = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        down = self.down(x)
        up = self.up(self.deep(down))
        y = functional.interpolate(torch.cat([down, up], 1), scale_factor=2, mode="bilinear")
        return self.out(functional.pad(y, (1, 1, 1, 1)))


NETS: dict[str, type[nn.Module]] = {
    net.__name__: net for net in (ResNet, MobileNetV3, DenseNet, ShuffleNet, Inception, ConvNeXt, UNet)
}
