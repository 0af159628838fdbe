"""What the operating system offers: time."""
