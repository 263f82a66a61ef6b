"""Job titles: departments, seniorities and the titles that go with them.

Belongs here: the lists and how one is drawn. Does not: how a vendor shortens a title (spelling.py).
Surprise: each department and seniority has several titles, so that a change of title can leave both as they are.
"""

from __future__ import annotations

from sources.world.dice import cumulative

SENIORITIES = ("owner", "c_suite", "vp", "director", "manager", "senior", "entry")
SENIORITY_SHARES = cumulative((0.03, 0.05, 0.06, 0.14, 0.28, 0.24, 0.20))
DEPARTMENTS = (
    "information technology",
    "engineering",
    "sales",
    "marketing",
    "finance",
    "human resources",
    "operations",
    "customer service",
    "legal",
    "product",
)
DEPARTMENT_SHARES = cumulative((0.24, 0.13, 0.17, 0.09, 0.09, 0.06, 0.12, 0.05, 0.02, 0.03))
_SUBJECTS = {
    "information technology": (
        "IT",
        "Information Technology",
        "Infrastructure",
        "Information Security",
        "Service Desk",
    ),
    "engineering": ("Engineering", "Quality", "Maintenance", "Technical Services", "Software Engineering"),
    "sales": ("Sales", "Business Development", "Key Accounts", "Regional Sales", "Channel Sales"),
    "marketing": ("Marketing", "Communications", "Digital Marketing", "Brand", "Events"),
    "finance": ("Finance", "Accounting", "Financial Planning", "Treasury", "Payroll"),
    "human resources": ("Human Resources", "People", "Talent", "Learning and Development", "Recruitment"),
    "operations": ("Operations", "Logistics", "Facilities", "Procurement", "Supply Chain"),
    "customer service": ("Customer Service", "Client Services", "Customer Success", "Support"),
    "legal": ("Legal", "Compliance", "Contracts", "Regulatory Affairs"),
    "product": ("Product", "Product Development", "User Experience", "Research"),
}
_CHIEFS = {
    "information technology": (
        "Chief Information Officer",
        "Chief Technology Officer",
        "Chief Information Security Officer",
    ),
    "engineering": ("Chief Technology Officer", "Chief Engineer", "Chief Technical Officer"),
    "sales": ("Chief Revenue Officer", "Chief Commercial Officer", "Chief Sales Officer"),
    "marketing": ("Chief Marketing Officer", "Chief Brand Officer", "Chief Growth Officer"),
    "finance": ("Chief Financial Officer", "Group Finance Officer", "Chief Accounting Officer"),
    "human resources": ("Chief People Officer", "Chief Human Resources Officer", "Chief Talent Officer"),
    "operations": ("Chief Operating Officer", "Chief Executive Officer", "Chief Supply Chain Officer"),
    "customer service": ("Chief Customer Officer", "Chief Experience Officer", "Chief Client Officer"),
    "legal": ("General Counsel", "Chief Legal Officer", "Chief Compliance Officer"),
    "product": ("Chief Product Officer", "Chief Innovation Officer", "Chief Research Officer"),
}
_OWNERS = ("Owner", "Founder", "Managing Partner", "Managing Director", "Co-Founder", "Principal", "President")
_FORMS = {
    "vp": ("Vice President of {}", "Senior Vice President of {}", "Vice President, {}"),
    "director": ("Director of {}", "{} Director", "Senior Director of {}"),
    "manager": ("{} Manager", "Senior {} Manager", "Manager of {}", "{} Team Leader"),
    "senior": ("Senior {} Specialist", "Senior {} Analyst", "{} Lead", "Senior {} Consultant"),
    "entry": ("{} Coordinator", "{} Assistant", "{} Administrator", "{} Executive", "Junior {} Analyst"),
}


def titles(department: str, seniority: str) -> tuple[str, ...]:
    """All titles of a department at a seniority."""
    return _TABLE[department, seniority]


def _all(department: str, seniority: str) -> tuple[str, ...]:
    if seniority == "owner":
        return _OWNERS
    if seniority == "c_suite":
        return _CHIEFS[department]
    return tuple(form.format(subject) for form in _FORMS[seniority] for subject in _SUBJECTS[department])


_TABLE = {
    (department, seniority): _all(department, seniority) for department in DEPARTMENTS for seniority in SENIORITIES
}
