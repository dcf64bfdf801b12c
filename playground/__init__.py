"""A Discord on loopback: REST v10, gateway and one web page, for a first try and for tests."""
