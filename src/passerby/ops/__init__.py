"""What operators use: the doctor, and the cluster on one machine."""
