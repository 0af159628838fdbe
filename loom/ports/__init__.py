"""What the outside must offer, as Protocols. Imports the domain only."""
