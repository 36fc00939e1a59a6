"""The people and businesses a fresh org starts with. All of them are made up."""

from __future__ import annotations

#: name, type, industry, phone, street, city, country
ACCOUNTS = (
    ("Northwind Paddles", "Customer", "Retail", "+31 20 555 0101", "Kade 12", "Amsterdam", "NL"),
    ("Alder & Finch", "Customer", "Retail", "+1 617 555 0102", "8 Pier Street", "Boston", "US"),
    ("Tagus Trails", "Partner", "Other", "+351 21 555 0103", "Rua do Cais 4", "Lisbon", "PT"),
    (
        "Maple Ridge Camps",
        "Customer",
        "Education",
        "+1 416 555 0104",
        "9 Elm Road",
        "Toronto",
        "CA",
    ),
    ("Harbour Clinic", "Prospect", "Healthcare", "+65 5550 0105", "3 Quay Lane", "Singapore", "SG"),
    ("Brightwater Energy", "Customer", "Technology", "+49 30 555 0106", "Ufer 7", "Berlin", "DE"),
    ("Vale Orchard", "Prospect", "Agriculture", "+44 113 555 0107", "Mill Lane 2", "Leeds", "GB"),
    ("Fjord Freight", "Customer", "Shipping", "+47 22 555 0108", "Havnegata 1", "Oslo", "NO"),
)

#: first name, last name, e-mail, title, account (index into ACCOUNTS)
CONTACTS = (
    ("Anna", "de Boer", "anna.deboer@example.com", "Head of Purchasing", 0),
    ("Bas", "Visser", "bas.visser@example.com", "Shop Manager", 0),
    ("Carla", "Mendes", "carla.mendes@example.com", "Accounts Payable", 0),
    ("Daan", "Kuipers", "daan.kuipers@example.com", None, 0),
    ("Emily", "Hart", "emily.hart@example.org", "Owner", 1),
    ("Felix", "Osei", "felix.osei@example.org", "Buyer", 1),
    ("Grace", "O'Neill", "grace.oneill@example.org", "Warehouse Lead", 1),
    ("Hugo", "Lindqvist", "hugo.lindqvist@example.org", "Logistics", 1),
    ("Inês", "Carvalho", "ines.carvalho@example.net", "Founder", 2),
    ("João", "Pires", "joao.pires@example.net", "Guide Coordinator", 2),
    ("Katya", "Sokolova", "katya.sokolova@example.net", "Marketing", 2),
    ("Liam", "Tremblay", "liam.tremblay@example.com", "Camp Director", 3),
    ("Mona", "Farouk", "mona.farouk@example.com", "Program Manager", 3),
    ("Noah", "Bell", "noah.bell@example.com", "Facilities", 3),
    ("Olivia", "Tan", "olivia.tan@example.org", "Practice Manager", 4),
    ("Priya", "Nair", "priya.nair@example.org", "Procurement", 4),
    ("Quentin", "Moreau", "quentin.moreau@example.org", "IT Lead", 4),
    ("Rosa", "Weiß", "rosa.weiss@example.net", "Head of Operations", 5),
    ("Stefan", "Krüger", "stefan.krueger@example.net", "Engineer", 5),
    ("Tilda", "Ek", "tilda.ek@example.net", "Office Manager", 5),
    ("Umar", "Aziz", "umar.aziz@example.com", "Farm Manager", 6),
    ("Vera", "Holt", "vera.holt@example.com", "Bookkeeper", 6),
    ("Will", "Ashby", "will.ashby@example.com", None, 6),
    ("Xenia", "Dahl", "xenia.dahl@example.org", "Fleet Manager", 7),
    ("Yusuf", "Demir", "yusuf.demir@example.org", "Dispatcher", 7),
    ("Zoe", "Berg", "zoe.berg@example.org", "Customer Service", 7),
    ("Ada", "Quist", "ada.quist@example.org", "Controller", 7),
    ("Ben", "Okafor", "ben.okafor@example.net", "Consultant", None),
    # Two people who share one address.
    ("Iris", "Vermeer", "family.vermeer@example.com", None, None),
    ("Joost", "Vermeer", "family.vermeer@example.com", None, None),
    # An address that a plus sign tells from another.
    ("Anna", "de Boer (events)", "anna.deboer+events@example.com", "Events", 0),
)

#: first name, last name, e-mail, company, status
LEADS = (
    ("Milo", "Hartmann", "milo.hartmann@example.com", "Hartmann Hiking", "Open - Not Contacted"),
    ("Nadia", "Rahimi", "nadia.rahimi@example.org", "Lakeside Hostels", "Working - Contacted"),
    ("Owen", "Clarke", "owen.clarke@example.net", "Clarke Canoes", "Working - Contacted"),
    ("Paula", "Silva", "paula.silva@example.com", "Costa Verde Tours", "Open - Not Contacted"),
    ("Ravi", "Menon", "ravi.menon@example.org", "Monsoon Media", "Closed - Not Converted"),
)
#: This one is converted.
CONVERTED_LEAD = ("Sofie", "Lund", "sofie.lund@example.net", "Lund Lodges", "Working - Contacted")

#: name, stage, amount, days until it closes, account, contacts with their roles
OPPORTUNITIES = (
    ("Shop-in-shop Utrecht", "Prospecting", 32_000, 75, 0, (("Decision Maker", 0),)),
    ("Winter clearance", "Closed Won", 6_250, -40, 0, (("Business User", 0),)),
    ("Rain covers 2,000 pcs", "Closed Lost", 9_900, -120, 0, (("Evaluator", 0),)),
    ("Spring paddles", "Negotiation/Review", 18_400, 21, 0, (("Decision Maker", 0), ("Other", 1))),
    ("Boston store refit", "Proposal/Price Quote", 54_000, 45, 1, (("Decision Maker", 4),)),
    ("Guided tours package", "Qualification", 12_500, 60, 2, (("Economic Buyer", 8),)),
    ("Camp kits summer", "Closed Won", 27_300, -15, 3, (("Decision Maker", 11),)),
    ("Team fleet lease", "Negotiation/Review", 88_000, 30, 7, (("Influencer", 23), ("Other", 24))),
)

#: subject, status, priority, contact; the later, the more recent
CASES = (
    ("Invoice lists the old address", "Working", "Medium", 0),
    ("How do I change the delivery day?", "Closed", "Low", 0),
    ("Wrong size of life vests", "Closed", "Medium", 0),
    ("Discount code refused", "Closed", "Low", 0),
    ("Missing tracking number", "Escalated", "High", 0),
    ("Paddle arrived with a crack", "New", "High", 0),
    ("Return of two dry bags", "New", "Medium", 4),
    ("Training for new staff", "Working", "Low", 11),
    ("Booking page shows an error", "New", "High", 8),
    ("Refund has not arrived", "Working", "High", 23),
    ("Question about the warranty", "New", "Low", 28),
)

#: subject, description, status, contact, days ago
TASKS = (
    ("Email: Paddle arrived with a crack", "Hello, one of the paddles …", "Completed", 0, 2),
    ("Call about the spring order", "Wants a quote by Friday.", "Completed", 0, 9),
    ("Send the new price list", None, "Not Started", 0, -3),
    ("Email: Store opening", "See you on the 12th!", "Completed", 4, 5),
    ("Check the camp dates", None, "In Progress", 11, -7),
)
