"""Flash: what a network and its runtime take there, in the format of each runtime."""

from hwnas.cost.flash.blocks import flash_bytes
from hwnas.cost.flash.formats import FORMATS, Flash, flash

__all__ = ["FORMATS", "Flash", "flash", "flash_bytes"]
