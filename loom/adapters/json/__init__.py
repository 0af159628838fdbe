"""JSON by msgspec's compiled encoder and decoder, as strict as the converter."""
