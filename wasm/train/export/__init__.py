"""The model file: writing, reading, the model card."""
