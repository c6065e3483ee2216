"""The original and the optimized site side by side in Chromium."""
