"""What a recipe needs on devices that are not here, read out of the program that XLA makes for so many of them."""
