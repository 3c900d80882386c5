"""Caffe's layers by family, one function each: what they compute, in this framework's operations.

Each takes a `Layer` and gives a blob for each top, or None where something cannot be kept, which it has told.
"""
