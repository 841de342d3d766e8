"""Payment cases: `/payments` lists what people ask about their payments, and `/answer CODE …` answers.

Nothing here names a person. Staff see the question, the purchases by code, and the person's language; refunding is the
same as for any purchase (`staff.purchases`).
"""

from passerby.kernel.staff import Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import AnswerAsked, PaymentCaseAsked
from passerby.staff.payments.answering import answer_asked, answered
from passerby.staff.payments.view import case_asked, listed, seen

feature = StaffFeature(
    "payments",
    commands={
        "payments": Allowed(listed, Permission.MONEY),
        "answer": Allowed(answered, Permission.MONEY),
    },
    presses={"payment_see": Allowed(seen, Permission.MONEY)},
    requests={
        PaymentCaseAsked: Allowed(case_asked, Permission.MONEY),
        AnswerAsked: Allowed(answer_asked, Permission.MONEY),
    },
)
