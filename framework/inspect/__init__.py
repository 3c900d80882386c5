"""Looking without training: listings, explanations, abstract checks, layer tables, the diagnosis of a machine."""
