"""Processes that decode images, so that more than one processor can: what they are told, and what they answer."""
