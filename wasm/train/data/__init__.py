"""Real photos, rendered plates and the samples that the nets are trained on."""
