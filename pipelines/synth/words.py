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

INSTRUMENT_VERSION = "2024-1"
ROLES = ("Consultant", "Registrar", "Nurse", "Allied health")
FAVOURED = {
    "Internal Medicine": ("EPA02", "EPA03", "EPA04"),
    "Surgery": ("EPA09", "EPA10"),
    "Paediatrics": ("EPA01", "EPA05"),
    "Emergency Medicine": ("EPA08", "EPA02"),
    "General Practice": ("EPA01", "EPA05", "EPA03"),
    "Psychiatry": ("EPA01", "EPA06"),
    "Obstetrics": ("EPA09", "EPA07"),
    "Anaesthesia": ("EPA10", "EPA08", "EPA07"),
}
"""The EPAs that a rotation offers more often than others."""

STRENGTHS = (
    "Explained the plan in plain words and checked that the patient had understood it.",
    "Noticed the falling blood pressure early and told the team at once.",
    "Structured the presentation well: problem, findings, plan, open questions.",
    "Examined the abdomen thoroughly and described the findings precisely.",
    "Calm and respectful with an anxious family.",
    "Wrote a clear discharge letter with follow-up dates.",
    "Asked for help at the right moment and said why.",
    "Well prepared; had read about the condition beforehand.",
    "Checked allergies and interactions before prescribing.",
    "Summarised a long history in four sentences without losing the thread.",
    "Found the murmur that two of us had missed and named its timing.",
    "Kept the field sterile throughout and counted the swabs aloud.",
    "Let the patient finish, then asked three questions that mattered.",
    "Recognised sepsis, took cultures and gave the antibiotic within the hour.",
    "Spoke with the interpreter, not about her; the café owner felt heard.",
    "Handed over four patients in order of risk, each with a next step.",
)
PRAISE = (
    "Good.",
    "Well done.",
    "Very good, as always.",
    "Nice work today.",
    "Pleasant colleague.",
    "Solid – no complaints.",
)
IMPROVEMENTS = (
    "Next time, state the most dangerous diagnosis first and say how you would rule it out.",
    "Try to summarise in under two minutes; leave out normal findings.",
    "Write the dose and the stop date on every prescription.",
    "Read back the critical points at the end of a handover.",
    "Position the patient before you start, so that both hands are free.",
    "Ask one open question before the closed ones.",
    "More practice with documentation of the time line.",
    "Plan the procedure aloud with the nurse before starting.",
    "Follow up the results yourself and close the loop with the patient.",
    "Compare the ECG with an old one before you call it new.",
    "Say what you do not know; the team will tell you.",
    "Use the checklist for the consent talk, above all for alternatives.",
)
NOTHING_TO_IMPROVE = (
    "Keep going.",
    "Nothing in particular.",
    "More of the same.",
    "Read more.",
    "Needs experience, naïve at times.",
)
CONCERNS = (
    "Needed prompting at nearly every step and missed the abnormal potassium.",
    "Gave the handover without mentioning the pending blood culture; this could be unsafe.",
    "Was not aware of the limits of own competence in this case.",
    "I had to take over twice, and the reasons were not understood afterwards.",
    "The findings in the note were not those at the bedside.",
    "Left before the repeat glucose was back, without telling anybody.",
    "Could not say which of the two drugs was the risk here.",
    "Struggled to keep the overview once a second patient arrived.",
    "Did not wash hands between two patients although reminded.",
    "Far from what others can do at this point of the year.",
)
HOSTILE_TEXTS = (
    '=HYPERLINK("http://x.example","open")',
    "<script>alert(1)</script> good history",
    "'; drop table raw.workplace_assessment; --",
    "Robust \u202eevil\u202c text that turns around",
    "{{ 7*7 }} ${7*7} %s %n",
    "Zero\u200bwidth and \U0001f9ea emoji, a\u0301 combining",
    'Line one\nline two; with a semicolon and "quotes"',
    "@SUM(1+1)*cmd|' /C calc'!A0",
)
"""Texts that break careless software; they must come out as they went in."""
IDENTIFIED_PATIENTS = (
    "Saw Mr Invented, MRN 40817253, born 03.02.1951, with chest pain; clear plan.",
    "Patient phone +43 660 5550199, call back about the result.",
    "National insurance number 1237 010180, admitted from clinic.",
    "Mail the family at next.of.kin@patient.example before discharge.",
)
"""Comments that name a patient; nobody of them exists."""
LABEL_TYPOS = (
    "Leve 3 - indirect supervison",
    "Lvl 2 direct",
    "Level III",
    "3 indirect superv.",
    "Levle 4 - unsupervised",
    "level 2 &3",
)
LABEL_WORDS = ("quite good", "see comment", "n/a this time")
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
