"""The reference networks of MLPerf Tiny (Banbury et al., 2021), int8 as deployed: softmax left out."""

from hwnas.network import Builder


def conv_bn_relu(b, x, channels, kernel=1, stride=1):
    return b.relu(b.batch_norm(b.conv(x, channels, kernel=kernel, stride=stride)))


def depthwise_separable(b, x, channels, stride=1):
    x = b.relu(b.batch_norm(b.depthwise(x, kernel=3, stride=stride)))
    return conv_bn_relu(b, x, channels)


def resnet8():
    b = Builder()
    x = conv_bn_relu(b, b.input(3, 32, 32), 16, 3)
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        y = b.batch_norm(b.conv(conv_bn_relu(b, x, channels, 3, stride), channels, kernel=3))
        x = b.conv(x, channels, stride=stride) if stride > 1 else x
        x = b.relu(b.add(x, y))
    return b.build(b.linear(b.average_pool(x, kernel=8, stride=8, padding=0), 10))


def ds_cnn():
    b = Builder()
    x = b.input(1, 49, 10)
    weight = b.parameter("weight", (64, 1, 10, 4))
    x = b.relu(b.layer("Conv", x, weight, strides=(2, 2), pads=(4, 1, 5, 1)))
    for _ in range(4):
        x = depthwise_separable(b, x, 64)
    x = b.layer("AveragePool", x, kernel_shape=(25, 5), strides=(25, 5))
    return b.build(b.linear(x, 12))


def mobilenet_v1():
    """Width 0.25, 96 × 96, two classes."""
    b = Builder()
    x = conv_bn_relu(b, b.input(3, 96, 96), 8, 3, 2)
    for channels, stride in (
        (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1),
    ):  # fmt: skip
        x = depthwise_separable(b, x, channels, stride)
    return b.build(b.linear(b.average_pool(x, kernel=3, stride=3, padding=0), 2))


def autoencoder():
    b = Builder()
    x = b.input(640)
    for features in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.relu(b.linear(x, features))
    return b.build(b.linear(x, 640))
