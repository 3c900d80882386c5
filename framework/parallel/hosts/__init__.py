"""Several processes, on one machine or many, that compute one thing: how they meet, speak, and part."""
