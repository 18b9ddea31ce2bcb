"""What runs beside the models: the worker process, its messages and clocks. numpy and a runtime only."""
