"""Arrays that stay on the disk: where they lie in their files, and how some of their rows are read."""
