"""The NNCubes app: linked views of a cube that a net answers, and the way back from answers to queries."""
