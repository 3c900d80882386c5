"""From a typed graph to one Flax module: the interpreter, repetition, foreign modules, failures, and the node table."""
