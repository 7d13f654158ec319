"""The orchestrator: what is answered to a message that a customer has sent.

Pure code, and the same answer every time, so that a message that is tried again says what it said before. An
application that wants more puts it in here: it is given the words and the customer, and returns the words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from callboard.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came in. `name` is the customer's, "" where nobody knows; `language` is an ISO 639-1 code."""

    text: str
    name: str = ""
    language: str = "en"


Words = dict[str, str]

#: The word by itself, or one that can mean nothing else: somebody may stop by.
STOP: Final = (
    r"^\W*(stop|arr[êe]t|pare|baja|abmelden)\W*$"
    r"|\b(unsubscribe|d[ée]sinscri\w*|remove me|stop (writing|messaging|texting|sending)|no more messages)\b"
)
#: What each intent is known by, in the order in which they are tried: to be left alone comes first.
INTENTS: Final[tuple[tuple[str, str], ...]] = (
    ("stop", STOP),
    ("human", r"\b(human|person|agent|someone|call me|complain\w*|humain|conseiller|persona|mensch)\b"),
    (
        "price",
        r"\b(price|prices|cost|costs|quote|how much|prix|devis|combien|precio|cu[áa]nto|preis|kosten)\b",
    ),
    ("booking", r"\b(book|booking|appointment|reschedule|schedule|rendez-vous|rdv|cita|reserva\w*|termin)\b"),
    ("thanks", r"\b(thanks|thank you|thx|merci|gracias|danke)\b"),
    ("greeting", r"\b(hi|hello|hey|good (morning|afternoon|evening)|bonjour|salut|hola|hallo)\b"),
)

ANSWERS: Final[dict[str, Words]] = {
    "stop": {
        "en": "Understood{name}: you will get no more messages from us, but answers to yours.",
        "fr": "C'est noté{name} : vous n'aurez plus de messages de nous, sinon en réponse aux vôtres.",
    },
    "human": {
        "en": "Of course{name}. One of us will get back to you within the day.",
        "fr": "Bien sûr{name}. L'un de nous vous répondra dans la journée.",
    },
    "price": {
        "en": "Thank you for asking{name}. Tell us in short what you need, and you will have a quote today.",
        "fr": "Merci de votre demande{name}. Dites-nous en quelques mots ce qu'il vous faut : le devis part"
        " aujourd'hui.",
    },
    "booking": {
        "en": "With pleasure{name}. Which day suits you, and is morning or afternoon better?",
        "fr": "Avec plaisir{name}. Quel jour vous convient, plutôt le matin ou l'après-midi ?",
    },
    "thanks": {"en": "You are welcome{name}!", "fr": "Je vous en prie{name} !"},
    "greeting": {
        "en": "Hello{name}! How can we help you today?",
        "fr": "Bonjour{name} ! Que pouvons-nous faire pour vous ?",
    },
    "other": {
        "en": "Thank you for your message{name}. We have read it and will answer within the day.",
        "fr": "Merci de votre message{name}. Nous l'avons lu et vous répondrons dans la journée.",
    },
}

Orchestrator = Callable[[Inbound], str]


def intent_of(text: str) -> str:
    """What the customer wants: the name of an intent, or `other`."""
    words = text.casefold()
    return next((name for name, known_by in INTENTS if re.search(known_by, words)), "other")


def answer(inbound: Inbound) -> str:
    """The answer to what came in, in the customer's language if it is one of ours, or else in English.

    Raises:
        BadInput: nothing came in.
    """
    if not inbound.text.strip():
        raise BadInput("There is nothing to answer: the message that came in is empty.")
    words = ANSWERS[intent_of(inbound.text)]
    name = inbound.name.split()[0] if inbound.name.split() else ""
    said = words.get(inbound.language, words["en"])
    return said.replace("{name}", f", {name}" if name else "")
