"""A model that looks at pictures, in a process of its own. `pip install 'passerby[images]'` brings the model."""
