"""What is to happen: declarations, and the compilers that turn each into a plan. Knows no vendor."""
