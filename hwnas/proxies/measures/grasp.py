"""GraSP: how much the removal of single weights reduces the flow of gradients."""

import torch

from hwnas.proxies.context import Context
from hwnas.proxies.forward_pass import gradients_by
from hwnas.proxies.gradients import sum_of_terms
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="grasp",
    higher_is_better=True,
    needs=("data", "labels", "gradients", "second-order"),
    mode="as-is",
    summary="sum over conv and linear weights of -w * (H g), g = dL/dw and H the Hessian",
    source="Wang et al. 2020, GraSP, eq. 8; as Abdelfattah et al. 2021 (temperature 1, one batch)",
)
def grasp(context: Context) -> Measurement:
    """Return the sum over convolutions and linear layers of sum -w * (H g), with g = dL/dw.

    H g is the gradient of <g, stop(g)>, by differentiating the gradient once more. GraSP itself keeps the
    weights of the lowest scores, at a temperature of 200; the sign and the temperature 1 are those of
    Abdelfattah et al. Terms of both signs cancel: in float32 the value carries a relative error of about
    1e-3. Undefined where no layer has a gradient.
    """
    found = context.gradients
    gradients = list(found.gradients.values())
    flow = torch.stack([(g * g.detach()).sum() for g in gradients]).sum() if gradients else torch.zeros(())
    weights = list(found.weights.values())
    products = gradients_by(flow, [*weights], retain_graph=True)
    terms = {
        name: 0.0 if product is None else -float((weight.detach() * product).sum(dtype=torch.float64))
        for (name, weight), product in zip(found.weights.items(), products, strict=True)
    }
    return sum_of_terms(found, terms)
