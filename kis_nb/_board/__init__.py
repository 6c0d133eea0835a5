"""What the dashboard is made of, below its face `kis_nb._dashboard`, which alone uses it."""
