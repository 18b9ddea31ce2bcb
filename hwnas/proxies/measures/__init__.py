"""The zero-cost proxies, one idea in each file; importing this package registers them all."""

import pkgutil
from importlib import import_module

for _found in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
