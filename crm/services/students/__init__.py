"""From the first payment to the student: payments, their confirmation, places in classes, and sign-ins."""
