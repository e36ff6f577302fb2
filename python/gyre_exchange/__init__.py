"""Networks, weights and datasets between PyTorch and gyre."""

from .dataset import dataset_to_gyre
from .network import to_gyre
from .weights import Loaded, from_gyre

__version__ = "0.1.0"
__all__ = ["Loaded", "dataset_to_gyre", "from_gyre", "to_gyre"]
