"""The engine: samples of many jobs, one denoising step at a time."""
