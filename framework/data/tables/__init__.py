"""Tables: columns read from files, and made into features, labels and targets."""
