"""What a student's and a class's rows open to."""
