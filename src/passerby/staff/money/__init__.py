"""`/money`: what was sold in the last 30 days, what would go with each bot, and what Telegram has not confirmed."""

from passerby.kernel.staff import Allowed, Permission, StaffFeature
from passerby.staff.money.reporting import show

feature = StaffFeature("money", commands={"money": Allowed(show, Permission.MONEY)})
