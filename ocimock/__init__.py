"""ocimock: a mock of Oracle Cloud Infrastructure, in the process or on a port."""
