"""What holds for every test. Fixtures live beside the tests that need them."""

from hypothesis import HealthCheck, settings

# Nothing here is measured in time: the machine may be busy with other things.
settings.register_profile("passerby", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("passerby")
