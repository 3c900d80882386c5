"""Search inside sweeps: samplers that learn, pruning, population-based training, several processes on one study."""
