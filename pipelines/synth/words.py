"""Word lists of the project's own that names, forms and comments are made from."""

from __future__ import annotations

GIVEN_NAMES = (
    "Alva",
    "Bero",
    "Cilja",
    "Dano",
    "Enora",
    "Fendel",
    "Gisko",
    "Havra",
    "Ilmo",
    "Jorin",
    "Kesta",
    "Lumo",
    "Mirel",
    "Nesko",
    "Orla",
    "Pavo",
    "Quira",
    "Rumo",
    "Selka",
    "Tavin",
    "Ubera",
    "Velmo",
    "Wenka",
    "Xaro",
    "Yelda",
    "Zavin",
)
FAMILY_NAMES = (
    "Ambrel",
    "Bostoke",
    "Corvellan",
    "Dunmarsk",
    "Elverand",
    "Fosterlin",
    "Grevholt",
    "Hallenby",
    "Istermann",
    "Jorvane",
    "Kelbrook",
    "Lindmoor",
    "Marrowin",
    "Nordelph",
    "Ostergard",
    "Pellwick",
    "Quennold",
    "Ravensby",
    "Stelmark",
    "Thornelby",
)

ROTATIONS = (
    "Internal Medicine",
    "Surgery",
    "Paediatrics",
    "Emergency Medicine",
    "General Practice",
    "Psychiatry",
    "Obstetrics",
    "Anaesthesia",
)

SETTINGS = ("ward", "clinic", "emergency department", "theatre", "home visit")
CASE_TYPES = ("acute", "chronic", "preventive", "perioperative", "end of life")

EPAS = (
    ("EPA01", "Take a history and examine a patient", "Patient care"),
    ("EPA02", "Set priorities among possible diagnoses", "Patient care"),
    ("EPA03", "Recommend and interpret common tests", "Patient care"),
    ("EPA04", "Enter and discuss orders and prescriptions", "Safe practice"),
    ("EPA05", "Document an encounter in the record", "Communication"),
    ("EPA06", "Present a patient to the team", "Communication"),
    ("EPA07", "Hand over care safely", "Communication"),
    ("EPA08", "Recognise and start care of an urgent condition", "Safe practice"),
    ("EPA09", "Obtain consent for a procedure", "Professional conduct"),
    ("EPA10", "Perform common procedures", "Safe practice"),
)
DOMAINS = ("Patient care", "Communication", "Safe practice", "Professional conduct")

STRENGTHS = (
    "Explained the plan in plain words and checked that the patient had understood it.",
    "Noticed the falling blood pressure early and told the team at once.",
    "Structured the presentation well: problem, findings, plan, open questions.",
    "Examined the abdomen thoroughly and described the findings precisely.",
    "Calm and respectful with an anxious family.",
    "Wrote a clear discharge letter with follow-up dates.",
    "Asked for help at the right moment and said why.",
    "Good.",
    "Well prepared; had read about the condition beforehand.",
    "Checked allergies and interactions before prescribing.",
)
IMPROVEMENTS = (
    "Next time, state the most dangerous diagnosis first and say how you would rule it out.",
    "Try to summarise in under two minutes; leave out normal findings.",
    "Write the dose and the stop date on every prescription.",
    "Read back the critical points at the end of a handover.",
    "Position the patient before you start, so that both hands are free.",
    "Ask one open question before the closed ones.",
    "More practice with documentation of the time line.",
    "Keep going.",
    "Plan the procedure aloud with the nurse before starting.",
    "Follow up the results yourself and close the loop with the patient.",
)
CONCERNS = (
    "Needed prompting at nearly every step and missed the abnormal potassium.",
    "Gave the handover without mentioning the pending blood culture; this could be unsafe.",
    "Was not aware of the limits of own competence in this case.",
)
REFLECTIONS = (
    "I hurried the handover because the ward was busy; I will use the written template next time.",
    "I felt more confident with the examination than two months ago and want to see more children.",
    "My prescribing feedback keeps naming stop dates. I have made a checklist for it.",
    "I want three observed procedures before the next meeting.",
)
AI_TOOLS = (("Lumenote", "3.2"), ("Quillbird", "2026-03"), ("Parsewell", None))
AI_PURPOSES = ("ideas", "structure", "language", "literature_search", "self_testing")
VERIFICATION = (
    "Compared each statement with the guideline and two textbooks.",
    "Asked my supervisor to check the summary.",
    "Checked the references one by one; two did not exist and were removed.",
)
OUTPUT_CHANGES = (
    "Rewrote it in my own words and cut it by half.",
    "Used it only as an outline.",
    "Kept the table, replaced all numbers after checking.",
)
