"""The connections of this process, and of all others: who is there, and how to reach them."""
