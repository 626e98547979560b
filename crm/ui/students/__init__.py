"""What a student and a payment open to."""
