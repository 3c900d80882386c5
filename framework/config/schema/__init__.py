"""The schema of a recipe: a pydantic class for each section and component, with units, bounds, defaults. JAX-free."""
