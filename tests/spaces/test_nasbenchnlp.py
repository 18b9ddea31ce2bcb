import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hwnas.network.recipe import ACTIVATIONS, ARITIES, MAX_NODES, Recipe, parse_recipe, reaching
from hwnas.network.recurrent import RecurrentLanguageModel, RecurrentLayer
from hwnas.proxies import score
from hwnas.spaces.nasbenchnlp import NASBenchNLP
from hwnas.spaces.nasbenchnlp_mutation import CHANGES

# The baselines of the benchmark's repository: fmsnew/nas-bench-nlp-release, data/recepies_example.json.
RNN = (
    '{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, '
    '"h_new_0": {"op": "activation_tanh", "input": ["f"]}}'
)
LSTM = (
    '{"i": {"op": "linear", "input": ["x", "h_prev_0"]}, "i_act": {"op": "activation_tanh", "input": ["i"]}, '
    '"j": {"op": "linear", "input": ["x", "h_prev_0"]}, "j_act": {"op": "activation_sigm", "input": ["j"]}, '
    '"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "f_act": {"op": "activation_sigm", "input": ["f"]}, '
    '"o": {"op": "linear", "input": ["x", "h_prev_0"]}, "o_act": {"op": "activation_tanh", "input": ["o"]}, '
    '"h_new_1_part1": {"op": "elementwise_prod", "input": ["f_act", "h_prev_1"]}, '
    '"h_new_1_part2": {"op": "elementwise_prod", "input": ["i_act", "j_act"]}, '
    '"h_new_1": {"op": "elementwise_sum", "input": ["h_new_1_part1", "h_new_1_part2"]}, '
    '"h_new_1_act": {"op": "activation_tanh", "input": ["h_new_1"]}, '
    '"h_new_0": {"op": "elementwise_prod", "input": ["h_new_1_act", "o_act"]}}'
)
GRU = (
    '{"r": {"op": "linear", "input": ["x", "h_prev_0"]}, "r_act": {"op": "activation_sigm", "input": ["r"]}, '
    '"z": {"op": "linear", "input": ["x", "h_prev_0"]}, "z_act": {"op": "activation_sigm", "input": ["z"]}, '
    '"rh": {"op": "elementwise_prod", "input": ["r_act", "h_prev_0"]}, '
    '"h_tilde": {"op": "linear", "input": ["x", "rh"]}, '
    '"h_tilde_act": {"op": "activation_tanh", "input": ["h_tilde"]}, '
    '"h_new_0": {"op": "blend", "input": ["z_act", "h_prev_0", "h_tilde_act"]}}'
)
DRAWN = (
    '{"node_0": {"op": "linear", "input": ["h_prev_0", "x"]}, '
    '"node_1": {"op": "activation_sigm", "input": ["node_0"]}, '
    '"node_3": {"op": "linear", "input": ["node_1", "h_prev_0"]}, '
    '"node_4": {"op": "activation_leaky_relu", "input": ["node_3"]}, '
    '"node_11": {"op": "blend", "input": ["h_prev_0", "node_1", "node_4"]}, '
    '"h_new_0": {"op": "elementwise_prod", "input": ["node_3", "node_11"]}}'
)
SPACE = NASBenchNLP()
seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> Recipe:
    return SPACE.random(np.random.default_rng(seed))


# --- recipes


@pytest.mark.parametrize("text", [RNN, LSTM, GRU, DRAWN], ids=["rnn", "lstm", "gru", "drawn"])
def test_recipes_of_the_benchmark(text: str) -> None:
    recipe = SPACE.parse(text)
    assert json.loads(SPACE.format(recipe)) == json.loads(text)
    assert SPACE.parse(str(recipe)) == recipe
    assert recipe.states == (2 if text == LSTM else 1)


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_texts_round_trip(seed: int) -> None:
    recipe = drawn(seed)
    assert SPACE.parse(str(recipe)) == recipe
    entries = list(json.loads(str(recipe)).items())
    np.random.default_rng(seed).shuffle(entries)
    shuffled = SPACE.parse(json.dumps(dict(entries)))
    assert shuffled == recipe
    assert str(shuffled) == str(recipe)
    assert hash(shuffled) == hash(recipe)


def test_nodes_come_after_their_inputs() -> None:
    recipe = SPACE.parse(DRAWN)
    assert [node.name for node in recipe.nodes] == [
        "node_0",
        "node_1",
        "node_3",
        "node_4",
        "node_11",
        "h_new_0",
    ]
    assert recipe != SPACE.parse(DRAWN.replace("sigm", "tanh"))


def rnn(old: str, new: str) -> str:
    assert old in RNN
    return RNN.replace(old, new)


TWO_LINEAR = '{"op": "linear", "input": ["x", "h_prev_0"]}'


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("is no recipe: Expecting", RNN[:-1]),
        ("is no recipe: nested too deeply", "[" * 9000 + "]" * 9000),
        ("at most 20000 characters, not 30000", " " * 30_000),
        ('is no recipe: {"node"', "[1]"),
        ('node f must have "op" and "input"', rnn('"op": "linear", ', "")),
        ("node f must have", rnn('"op": "linear"', '"op": "linear", "size": 3')),
        ("input of node f must be a list of names", rnn('["x", "h_prev_0"]', '"x"')),
        ("input of node f must be a list of names", rnn('["x", "h_prev_0"]', "[1, 2]")),
        ("'f' is given twice", rnn('{"f"', f'{{"f": {TWO_LINEAR}, "f"')),
        ("'h.1' is no name of a node", rnn('"f"', '"h.1"')),
        ("'x' is no name of a node", rnn('{"f"', f'{{"x": {TWO_LINEAR}, "f"')),
        ("'h_prev_0' is no name of a node", rnn('{"f"', f'{{"h_prev_0": {TWO_LINEAR}, "f"')),
        ("op 'gelu' of node f: one of linear, blend", rnn('"linear"', '"gelu"')),
        (r"op \['linear'\] of node f", rnn('"linear"', '["linear"]')),
        ("node f has 1 inputs; linear takes 2 or 3", rnn('"x", ', "")),
        ("node h_new_0 has 1 inputs; blend takes 3", rnn("activation_tanh", "blend")),
        ("input 'g' of node h_new_0 is no node, x or h_prev_0", rnn('["f"]', '["g"]')),
        ("input 'h_prev_1' of node f is no node", rnn("h_prev_0", "h_prev_1")),
        ("node f reads x by elementwise_sum; only linear", rnn('"linear"', '"elementwise_sum"')),
        ("gives h_new_0 or .*, not none", rnn("h_new_0", "h")),
        ("gives h_new_0 or .*, not h_new_1", rnn("h_new_0", "h_new_1")),
        ("node g of the recipe leads to no h_new", rnn('{"f"', f'{{"g": {TWO_LINEAR}, "f"')),
        ("cycle: f, h_new_0 wait for each other", rnn('"h_prev_0"', '"h_new_0"')),
        (
            "at most 24 nodes, not 25",
            json.dumps({f"n{i}": {"op": "linear", "input": ["x", "x"]} for i in range(25)}),
        ),
    ],
)
def test_malformed_recipes(message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        SPACE.parse(text)
    assert "\n" not in str(raised.value)


# --- the space


def test_the_published_limits() -> None:
    """Gracheva, 2024, of the benchmark: at most 24 nodes, 3 hidden states, 3 inputs; 7 operations."""
    assert len(ARITIES) == 7
    assert max(ARITIES["linear"]) == 3
    recipes = NASBenchNLP(states=(3,), intermediate_nodes=(21,)).sample(40, seed=0)
    assert max(len(recipe.nodes) for recipe in recipes) <= MAX_NODES == 24
    assert {recipe.states for recipe in SPACE.sample(50, seed=0)} == {1, 2, 3}
    assert {node.op for recipe in recipes for node in recipe.nodes} == set(ARITIES)
    assert {len(n.inputs) for recipe in recipes for n in recipe.nodes if n.op == "linear"} == {2, 3}


def follows_the_published_procedure(recipe: Recipe) -> bool:
    """The rules, written down a second time."""
    ops = {node.name: node.op for node in recipe.nodes}
    for name, op, inputs in recipe.nodes:
        for source in inputs:
            kind = ops.get(source, source[:6])
            if op == "linear" and kind not in ("x", "h_prev", *ACTIVATIONS):
                return False
            if op in ACTIVATIONS and kind != "linear":
                return False
            if name.startswith("h_new") and kind == "h_prev":
                return False
        if len(set(inputs)) < len(inputs):
            return False
    used = {source for node in recipe.nodes for source in node.inputs}
    return used >= {"x", *(f"h_prev_{i}" for i in range(recipe.states))}


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_what_is_drawn_and_mutated_obeys_the_rules(seed: int) -> None:
    generator = np.random.default_rng(seed)
    recipe = SPACE.random(generator)
    assert follows_the_published_procedure(recipe)
    for _ in range(5):
        mutant = SPACE.mutate(recipe, generator)
        assert mutant != recipe
        assert mutant.states == recipe.states
        assert follows_the_published_procedure(mutant)
        recipe = mutant


def test_the_baselines_and_the_rules() -> None:
    assert SPACE.is_valid(SPACE.parse(RNN))
    assert SPACE.is_valid(SPACE.parse(DRAWN))
    assert not SPACE.is_valid(SPACE.parse(LSTM))
    assert not SPACE.is_valid(SPACE.parse(GRU))
    assert not NASBenchNLP(states=(2, 3)).is_valid(SPACE.parse(RNN))
    with pytest.raises(ValueError, match="breaks the rules of space nasbenchnlp"):
        SPACE.mutate(SPACE.parse(GRU), np.random.default_rng(0))


def test_every_change_leads_somewhere() -> None:
    generator = np.random.default_rng(0)
    reached = {change.__name__: set() for change in CHANGES}
    for recipe in SPACE.sample(20, seed=1):
        for change in CHANGES * 5:
            nodes = change(recipe, generator)
            kept = tuple(node for node in nodes if node.name in reaching(nodes))
            if kept != recipe.nodes and len(kept) <= MAX_NODES and SPACE.is_valid(Recipe(kept)):
                reached[change.__name__].add(len(kept) - len(recipe.nodes))
    assert all(reached.values())
    assert max(reached["_node_more"]) == 2
    assert min(reached["_node_less"]) < 0
    assert reached["_other_operation"] == {0}


def test_samples() -> None:
    assert SPACE.sample(5, seed=3) == SPACE.sample(5, seed=3) != SPACE.sample(5, seed=4)
    assert len(set(SPACE.sample(60, seed=0))) == 60


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("states must lie within 1 to 3", {"states": (0,)}),
        ("states must lie within 1 to 3", {"states": ()}),
        ("intermediate_nodes must lie within 1 to 21, 24 together", {"intermediate_nodes": (22,)}),
    ],
)
def test_wrong_settings(message: str, given: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=message):
        NASBenchNLP(**given)


def test_drawing_needs_no_torch() -> None:
    program = (
        "import sys\nfrom hwnas.spaces.nasbenchnlp import NASBenchNLP\n"
        "NASBenchNLP().sample(1, seed=0)\nprint('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# --- the modules


def model(text: str, seed: int = 0) -> RecurrentLanguageModel:
    torch.manual_seed(seed)
    return RecurrentLanguageModel(parse_recipe(text), vocabulary=20, embedding=6, hidden=8, layers=2)


def weights(layer: RecurrentLayer, node: str) -> tuple[Tensor, Tensor, Tensor]:
    first, second = layer.parts[f"{node}_linear"]
    return first.weight, second.weight, first.bias


def test_the_rnn_is_torchs() -> None:
    layer = RecurrentLayer(parse_recipe(RNN), inputs=5, hidden=7)
    theirs = nn.RNN(5, 7, batch_first=True)
    input_weight, state_weight, bias = weights(layer, "f")
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(input_weight)
        theirs.weight_hh_l0.copy_(state_weight)
        theirs.bias_ih_l0.copy_(bias)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(3, 11, 5)
    torch.testing.assert_close(layer(x), theirs(x)[0])


def test_the_gru_as_a_formula() -> None:
    layer = RecurrentLayer(parse_recipe(GRU), inputs=5, hidden=7)
    x, h = torch.randn(4, 5), torch.randn(4, 7)

    def linear(node: str, state: Tensor) -> Tensor:
        input_weight, state_weight, bias = weights(layer, node)
        return x @ input_weight.T + state @ state_weight.T + bias

    r, z = linear("r", h).sigmoid(), linear("z", h).sigmoid()
    torch.testing.assert_close(layer.step(x, (h,))[0], z * h + (1 - z) * linear("h_tilde", r * h).tanh())


def test_the_lstm_as_a_formula() -> None:
    layer = RecurrentLayer(parse_recipe(LSTM), inputs=5, hidden=7)
    x, h, c = torch.randn(4, 5), torch.randn(4, 7), torch.randn(4, 7)
    gates = {}
    for node in "ijfo":
        input_weight, state_weight, bias = weights(layer, node)
        gates[node] = x @ input_weight.T + h @ state_weight.T + bias
    new_c = gates["f"].sigmoid() * c + gates["i"].tanh() * gates["j"].sigmoid()
    new_h, found_c = layer.step(x, (h, c))
    torch.testing.assert_close(found_c, new_c)
    torch.testing.assert_close(new_h, new_c.tanh() * gates["o"].tanh())
    zero = torch.zeros(4, 7)
    twice = layer.step(x, layer.step(x, (zero, zero)))
    torch.testing.assert_close(layer(torch.stack([x, x], 1))[:, 1], twice[0])


def test_the_parameters_at_the_benchmarks_sizes() -> None:
    """Embedding 400, tied to the decoder, hidden sizes 600, 600, 400 and 10,000 tokens."""
    lstm = RecurrentLanguageModel(parse_recipe(LSTM))
    layers = [(400, 600), (600, 600), (600, 400)]
    in_cells = sum(4 * ((before + after) * after + after) for before, after in layers)
    assert sum(p.numel() for p in lstm.parameters()) == 10_000 * 400 + 10_000 + in_cells


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
@example(seed=28476)
def test_shapes_and_causality(seed: int) -> None:
    network = model(str(drawn(seed))).double()
    tokens = torch.randint(20, (3, 5), generator=torch.Generator().manual_seed(seed % 2**31))
    logits = network(tokens)
    assert logits.shape == (3, 20, 5)
    assert network.features(tokens).shape == (3, 5, 6)
    later = tokens.clone()
    later[:, 3:] = 0
    # Products of states may leave even float64: the same NaN is the same result.
    torch.testing.assert_close(network(later)[:, :, :3], logits[:, :, :3], equal_nan=True)
    torch.testing.assert_close(network(tokens[1:2]), logits[1:2], equal_nan=True)


def test_the_sequence_matters() -> None:
    network = model(LSTM)
    logits = network(torch.tensor([[1, 2, 3], [2, 2, 3]]))
    assert not torch.allclose(logits[0, :, 2], logits[1, :, 2])


def test_sizes_that_are_none() -> None:
    with pytest.raises(ValueError, match="layers must be a whole number of at least 1, not 0"):
        RecurrentLanguageModel(parse_recipe(RNN), layers=0)


# --- proxies


@pytest.mark.parametrize("text", [RNN, LSTM, GRU, DRAWN])
def test_proxies_on_the_layers(text: str) -> None:
    network = model(text)
    layers = network.features[1:]
    inputs = torch.randn(4, 5, 6)
    results = score(
        layers, inputs, torch.randn(4, 5, 6), ["grad_norm", "snip", "synflow"], loss=nn.functional.mse_loss
    )
    linears = sum(len(node.inputs) for node in parse_recipe(text).nodes if node.op == "linear")
    for result in results.values():
        assert np.isfinite(result.value)
        assert result.layers_used == 2 * linears


def token_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randint(20, (8, 5), generator=generator) for _ in range(2))


def test_gradient_proxies_on_tokens() -> None:
    network = model(LSTM)
    tokens, targets = token_batch()
    results = score(network, tokens, targets, ["grad_norm", "snip"])
    nn.functional.cross_entropy(network(tokens), targets).backward()
    linears = [part.weight for part in network.modules() if isinstance(part, nn.Linear)]
    norms = sum(float(weight.grad.double().norm()) for weight in linears)
    assert results["grad_norm"].value == pytest.approx(norms, rel=1e-5)
    saliency = sum(float((weight.detach() * weight.grad).double().abs().sum()) for weight in linears)
    assert results["snip"].value == pytest.approx(saliency, rel=1e-5)


def test_synflow_on_tokens() -> None:
    result = score(model(LSTM), token_batch()[0], proxies=["synflow"])["synflow"]
    assert np.isfinite(result.value)
    assert result.layers_used == 16


def test_epsilon_on_tokens() -> None:
    """Of a cell's raw outputs, as published: with constant weights all units of a layer are equal."""
    network = RecurrentLanguageModel(parse_recipe(RNN), vocabulary=20, embedding=6, layers=1)
    tokens, _ = token_batch()
    chosen = score(network.features, tokens, proxies=["epsilon64"], select_output=lambda o: o[..., 0])
    sums = network.features.embedding.weight.detach().double().sum(1).numpy()[tokens.numpy()]
    spread = []
    for weight in (1e-4, 1.0):
        h, steps = 0.0, []
        for t in range(5):
            h = np.tanh(weight * (sums[:, t] + 6 * h))
            steps.append(h)
        outputs = np.stack(steps)
        scaled = (outputs - outputs.min()) / (outputs.max() - outputs.min())
        spread.append(np.where(scaled == 0, np.nan, scaled))
    expected = np.nanmean(np.abs(spread[0] - spread[1])) / np.nanmean(spread)
    assert chosen["epsilon64"].value == pytest.approx(expected, rel=1e-6)
