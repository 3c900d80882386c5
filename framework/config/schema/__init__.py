"""The schema of a recipe: one pydantic class per section and per component, with units, bounds and defaults. JAX-free."""
