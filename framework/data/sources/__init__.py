"""One module per source. It is named after the source's `type` and holds two functions with the same keyword arguments:
one of that name, which loads a `Collection`, and `describe`, which gives its `Outline` without loading the data."""
