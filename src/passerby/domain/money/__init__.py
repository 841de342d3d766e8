"""The rules of money: what a checkout must show, what a payment grants, and what a refund takes back."""
