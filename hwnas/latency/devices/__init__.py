"""What a device is, and the devices."""
