"""Days of classes and who was there."""
