"""`.tflite` files: written, read, and run by TFLite Micro."""

from hwnas.network.tflite.from_tflite import from_tflite
from hwnas.network.tflite.interpreter import Arena, Interpreter
from hwnas.network.tflite.read import TfliteFile, read_tflite
from hwnas.network.tflite.write import write_tflite

__all__ = ["Arena", "Interpreter", "TfliteFile", "from_tflite", "read_tflite", "write_tflite"]
