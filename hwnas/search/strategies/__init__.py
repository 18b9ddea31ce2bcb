"""Search strategies, one to a file; importing this package registers them."""

from hwnas.search.strategies.area import AREA
from hwnas.search.strategies.bananas import BANANAS
from hwnas.search.strategies.bayesian import BayesianOptimization
from hwnas.search.strategies.bohb import BOHB
from hwnas.search.strategies.brp_nas import BRPNAS
from hwnas.search.strategies.chamnet import ChamNet
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.genetic import GeneticSearch
from hwnas.search.strategies.hyperband import Hyperband
from hwnas.search.strategies.local_search import LocalSearch
from hwnas.search.strategies.move import MoveEvolution
from hwnas.search.strategies.naswot_search import NASWOTSearch
from hwnas.search.strategies.nsga2 import NSGA2, front
from hwnas.search.strategies.ppo import PPO
from hwnas.search.strategies.random_search import RandomSearch
from hwnas.search.strategies.random_warm_up import WarmedRandomSearch
from hwnas.search.strategies.reinforce import Reinforce
from hwnas.search.strategies.successive_halving import SuccessiveHalving

__all__ = [
    "AREA",
    "BANANAS",
    "BOHB",
    "BRPNAS",
    "NSGA2",
    "PPO",
    "BayesianOptimization",
    "ChamNet",
    "GeneticSearch",
    "Hyperband",
    "LocalSearch",
    "MoveEvolution",
    "NASWOTSearch",
    "RandomSearch",
    "RegularizedEvolution",
    "Reinforce",
    "SuccessiveHalving",
    "WarmedRandomSearch",
    "front",
]
