"""A search space of one's own: the decisions, and the network that they describe."""

import hwnas


class MySpace(hwnas.spaces.SearchSpace):
    """A small plain CNN."""

    name = "my-space"
    decisions = {"width": (8, 16, 32), "depth": (1, 2, 3), "kernel": (3, 5)}

    def network(self, architecture):
        b = hwnas.network.Builder()
        x = b.input(3, 32, 32)
        for stage in range(architecture["depth"]):
            settings = {"channels": architecture["width"] << stage, "kernel": architecture["kernel"]}
            x = b.block(f"stage{stage}", conv_bn_relu, x, **settings)
        return b.build(b.linear(b.global_average_pool(x), 10))


def conv_bn_relu(b, x, channels, kernel):
    return b.relu(b.batch_norm(b.conv(x, channels, kernel=kernel, stride=2)))


if __name__ == "__main__":
    space = MySpace()
    print(f"{space.size} architectures")
    for architecture in space.sample(3, seed=0):
        print(architecture, f"{hwnas.count(architecture).whole.macs:,} MACs")
    run = hwnas.search.run(
        space, maximize="synflow", subject_to=["macs <= 2M"], folder="runs/my-space", budget=30
    )
    print("best:", run.best().architecture)
