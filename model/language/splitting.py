# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text with several actions, one after the other, is cut into one text for each.

A model draws one clip at a time, from a caption of one action or a few; what a sentence asks for
one after the other becomes several clips. These part actions: "then" (also "and then"), "after
that", "followed by", "afterwards", "next" and "finally" behind a comma or an "and", semicolons,
ends of lines and sentences, and a comma before a verb of motion. These do not: "and" (it may mean
at once), "while", "as", "before", "after" and "until".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mgpt3_ros.model.language.durations import stated_duration

_VERBS = (
    *('walk', 'run', 'jog', 'sprint', 'dash', 'march', 'step', 'sidestep', 'stride', 'stroll'),
    *('move', 'go', 'come', 'rush', 'hurry', 'shuffle', 'stagger', 'limp', 'sneak', 'tiptoe'),
    *('hop', 'jump', 'leap', 'skip', 'turn', 'spin', 'twirl', 'rotate', 'pivot', 'roll', 'climb'),
    *('bow', 'bend', 'lean', 'crouch', 'squat', 'kneel', 'crawl', 'sit', 'stand', 'lie', 'fall'),
    *('wave', 'raise', 'lift', 'lower', 'put', 'hold', 'stretch', 'reach', 'point', 'beckon'),
    *('clap', 'punch', 'kick', 'box', 'throw', 'catch', 'push', 'pull', 'pick', 'swing', 'shake'),
    *('nod', 'dance', 'greet', 'salute', 'stop', 'wait', 'pause', 'halt', 'stay', 'take', 'make'),
)
# More verbs, before which a comma parts nothing. Words that hold no verb at all and stand before a
# command call somebody ("Robot, wave").
_MORE_VERBS = (
    *('surrender', 'charge', 'retreat', 'advance', 'approach', 'race', 'gallop', 'trot', 'pace'),
    *('strafe', 'dodge', 'duck', 'freeze', 'fold', 'slide', 'curtsy', 'applaud', 'cheer', 'guide'),
    *('usher', 'direct', 'show', 'call', 'say', 'bounce', 'balance', 'somersault', 'cartwheel'),
    *('pirouette', 'back', 'drop', 'rise', 'get', 'do', 'give', 'keep', 'let', 'look', 'try'),
    *('curve', 'veer', 'circle', 'wander', 'amble', 'saunter', 'proceed', 'continue', 'head'),
    *('start', 'begin', 'bring', 'open', 'close', 'cross', 'touch', 'grab', 'carry', 'slash'),
    *('drink', 'eat', 'fight', 'play', 'swim', 'fly', 'slip', 'trip', 'stumble', 'stomp', 'use'),
)


def _forms(verb: str) -> tuple[str, str]:
    """The imperative and the third person of a verb."""
    if verb.endswith(('s', 'sh', 'ch', 'x', 'o')):
        return verb, f'{verb}es'
    return verb, f'{verb[:-1]}ies' if re.search('[^aeiou]y$', verb) else f'{verb}s'


_VERB = rf'(?:\w+ly\s+)?(?:{"|".join(form for verb in _VERBS for form in _forms(verb))})\b'
VERB_FORMS = [form for verb in (*_VERBS, *_MORE_VERBS) for form in _forms(verb)]
_ANY_VERB = re.compile(
    rf'\b(?:{"|".join(VERB_FORMS)}|\w+ing)\b',
    re.IGNORECASE,
)
_LONGEST_CALL = 4  # words
_PERSON = r'(?:person|man|woman|figure|human|guy|character|sim|robot|humanoid|child|boy|girl)'
_SUBJECT = re.compile(
    rf'^(?P<who>(?:an?|the|this|one)\s+(?:\w+\s+)?{_PERSON}|someone|somebody|he|she|they|it|you|i)'
    r'\b(?P<be>\s+(?:is|are|will|should|must|can))?\s*',
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r'\s*(?:[,;.!?]+\s*)?(?:\b(?:and|but)\s+)?\b(?:then|after (?:that|this)|followed by)\b,?\s*'
    r'|\s*(?:[,;.!?]+\s*(?:and\s+)?|\band\s+)'
    r'(?:afterwards?|thereafter|subsequently|finally|lastly|next(?!\s+to\b))\b,?\s*'
    rf'|\s*[,;.!?]+\s*(?:and\s+)?(?:second|third|fourth|fifth|sixth|last)(?:ly)?'
    rf'(?:\s*,\s*|\s+(?={_VERB}))'
    rf'|\s*(?:;|[.!?]+(?=\s)|[\r\n]+)\s*(?:and\s+)?|\s*,\s*(?:and\s+)?(?={_VERB})',
    re.IGNORECASE,
)
_BLANKS = re.compile(r'[^\S\r\n]+')  # a run of them would take the patterns long
_LINE_ENDS = re.compile(r' ?[\r\n]+(?: [\r\n]+)* ?')
# What numbers the steps of a plan: "1.", "(2)", "b)", "Step 3:", a dash or a star.
_STEP = (
    r'(?:(?:step|action)\s+\d{1,2}\s*[:.)]|\(\d{1,2}\)|\d{1,2}[.)](?=\s)|[a-h]\)|[-*\u2022](?=\s))'
)
_STEPS = re.compile(
    rf'(?:^|(?<=[.;:!?,\n]))\s*{_STEP}\s*|\s\(?(?:\d{{1,2}}|[a-h])\)\s+', re.IGNORECASE
)
_SHORTENED = re.compile(
    r'\b(?:approx|appr|ca|dr|mr|mrs|ms|prof|st|sr|jr|vs|e\.g|i\.e|max|min|no|deg|sec|secs)$',
    re.IGNORECASE,
)
# What is said around a plan and asks for nothing.
_CHATTER = re.compile(
    r'^(?:(?:ok|okay|k|sure|of course|certainly|please|thanks|thank you|alright|all right|well|yes'
    r'|yeah|right|great|good|fine|perfect|now|so|hello|hi|hey|got it|listen|ready|that is all'
    r'|(?:here (?:is|are|comes?|you go)|this is|these are|the plan is|plan|steps|instructions)\b'
    r'[^,;.!?]*)[\s,;:.!?]*)+$',
    re.IGNORECASE,
)
_NOT_AN_END = re.compile(  # of a sentence: "approx. 3 steps", "Dr. Smith"
    r'\b(?:(approx|appr|ca|max|min|at least|at most)\.(?=\s*\d)|(dr|mr|mrs|ms|prof)\.(?=\s))',
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r'(?:^|(?<=[.;:!?,\n]))\s*(?:second|third|fourth|fifth|sixth|last)(?:ly)?\s*,\s*',
    re.IGNORECASE,
)
_ONLY_A_TIME = ('now', 'until', 'till', 'by', 'since')  # "now and then" parts nothing
_OPENING = re.compile(r'^(?:first(?:ly)?|at first)\b,?\s*', re.IGNORECASE)

# What begins so says more about the action before, or is no action.
_FRAGMENT = re.compile(
    r'^(?:an?|the|his|her|their|its|your|my|both|each|another|with|without|to|towards?|in|into|on'
    r'|onto|at|from|of|off|over|under|around|through|as|like|by|for|until|while|when|if|that|which'
    r'|after|before|during|since|because|and|or|but|so|not)\b',
    re.IGNORECASE,
)
_ADVERBS = re.compile(
    r'(?:(?:left|right|back|forwards?|backwards?|up|down|away|ahead|sideways|straight|again|twice'
    r'|once|more|too|also|there|here|fast|faster|slower|\w+ly)\b[\s,]*)*$',
    re.IGNORECASE,
)
_LIMB_SEEN_BEFORE = re.compile(
    r'^(?:lower|drop|put|bring|take|let|lift|raise|hold|keep|wave|shake|swing)\w*\s+(?:it|them)\b',
    re.IGNORECASE,
)
_REST = re.compile(
    r'^(?:stops?|halts?|freezes?|rests?|stands? still|stays? (?:still|there)'
    r'|comes? to (?:a (?:stop|halt)|rest))(?: moving)?[\s.!]*$',
    re.IGNORECASE,
)
_WALK = re.compile(r'\b(?:walk|stroll|go|goes|going|step|move|moving|march|pace)(?:s|ing|es)?\b')
_NOT_AHEAD = re.compile(r'\b(?:back|backwards?|sideways|reverse|side)\b')
_TURN = re.compile(  # and how, as in "turns left in a proud way"
    r'^(?:\w+ly\s+)?(?:turn|veer|curve|bend|bear|(?:make|take)s?\s+an?\s+\w+\s+turn'
    r'|(?:take|hang)s?\s+an?\s+(?:left|right)|changes?\s+direction)(?:s|ing)?\b'
    r'(?:\s+(?:to|the|his|her|their|your|left|right|\w+ly))*'
    r'(?:\s+(?:at|towards?|round|around|into|by)\s[^,;]*)?'
    r'(?:[\s,]*(?:with(?:out)?|like|as|in\s+an?|to the music)\b.*)?\W*$',
    re.IGNORECASE,
)
_BOW = re.compile(r'\b(?:bow|bend|lean)(?:s|ing)?\b', re.IGNORECASE)
_UP_AGAIN = re.compile(r'^(?:\w+ly\s+)?(?:stand|straighten|come|rise|get)s?\s+(?:back\s+)?up\b')
_BASE_FORMS_IN_ING = ('bring', 'swing', 'sing', 'spring', 'fling', 'cling', 'ring')


@dataclass(frozen=True)
class _Piece:
    """Where a piece stands in the text.

    thing: it may be a thing ("followed by a bow"). open: it needs the next one.
    """

    start: int
    stop: int
    thing: bool = False
    open: bool = False


def split_actions(text: str) -> list[str]:
    """Cut a text into its actions, in the order in which they happen.

    What is no command of its own stays with the action before it: "then to the left", "then lower
    it". So does a turn after walking ahead, which is one way of walking, unless one of both states
    its length, and standing up after a bow. Numbers of steps, and what is said around them
    ("Sure! Here is the plan."), are left out, and so is stopping, since every motion ends at rest.
    Actions get the subject of the first one where theirs was left out.

    Args:
        text: any text.

    Returns:
        One text for each action; the text itself where there is nothing to cut.
    """
    given, text = text, _LINE_ENDS.sub('\n', _BLANKS.sub(' ', text))
    text, numbers = _STEPS.subn('\n', text)
    left_out = numbers > 0
    pieces: list[_Piece] = []
    for piece in _pieces(text):
        words, before = text[piece.start : piece.stop], pieces[-1] if pieces else None
        if not words.strip(' \n,;:.!?'):
            continue
        if _CHATTER.match(words.strip()):
            left_out = True
            continue
        if before is not None and (
            before.open or _belongs_to(text[before.start : before.stop], words, piece.thing)
        ):
            pieces[-1] = _Piece(before.start, piece.stop)
        else:
            called = not pieces and text[piece.stop : piece.stop + 1] == ',' and _is_call(words)
            pieces.append(replace(piece, open=not piece.thing and (called or _is_open(words))))
    if len(pieces) <= 1:
        words = text[pieces[0].start : pieces[0].stop] if pieces else given
        return [words.strip(' \n,;') if left_out else given]
    actions = [text[piece.start : piece.stop].strip(' \n,;') for piece in pieces]
    actions = [_OPENING.sub('', actions[0]), *actions[1:]]
    named = [actions[0], *_with_subjects(actions)]
    return [action for action in named if not means_rest(action)] or named[:1]


def without_steps(text: str) -> str:
    """A text whose sentences are its steps: no numbers of steps, nothing said around them.

    "Sure! 1) walk approx. 3 steps 2) wave" becomes "walk approx 3 steps. wave". A text that has
    nothing of the kind stays as it is.
    """
    given = _LINE_ENDS.sub('\n', _BLANKS.sub(' ', text))
    plain = _NOT_AN_END.sub(lambda match: match[1] or match[2], given)
    plain = _ORDINAL.sub('\n', _STEPS.sub('\n', plain))
    chatter = any(_CHATTER.match(sentence) for sentence in _sentences(plain))
    if plain == given and '\n' not in plain and not chatter:
        return text
    parts = [part.strip(' \n') for part in plain.split('\n')]
    sentences = [sentence for part in parts for sentence in _sentences(part)]
    kept = [sentence for sentence in sentences if not _CHATTER.match(sentence)]
    ended = [each if each[-1] in '.;!?,:' else f'{each}.' for each in kept or sentences]
    return ' '.join(ended) or text


def _sentences(text: str) -> list[str]:
    """The sentences of a line, with their marks."""
    return [part.strip() for part in re.split(r'(?<=[.;!?])\s+', text) if part.strip()]


def means_rest(text: str) -> bool:
    """Whether a text asks for nothing but to stop, or to stay where one is."""
    text = text.strip()
    return _REST.match(_without_subject(text)) is not None


def _pieces(text: str) -> list[_Piece]:
    pieces = []
    start, thing = 0, False
    for match in _SEPARATOR.finditer(text):
        words = text[start : match.start()].split()
        if words and words[-1].lower() in _ONLY_A_TIME:
            continue
        if match[0].strip() == '.' and _SHORTENED.search(text[start : match.start()]):
            continue  # "approx. 3 steps"
        pieces.append(_Piece(start, match.start(), thing))
        start, thing = match.end(), 'followed by' in match[0].lower()
    return [*pieces, _Piece(start, len(text), thing)]


def _without_subject(text: str) -> str:
    return _SUBJECT.sub('', text.strip(), count=1)


def _is_call(words: str) -> bool:
    """Whether somebody is called, and nothing asked for yet: "Robot", "Ok, my friend"."""
    return len(words.split()) <= _LONGEST_CALL and _ANY_VERB.search(words) is None


def _is_open(words: str) -> bool:
    """Whether a piece needs the next: "after a few steps", a subject alone, or "it is late"."""
    rest, subject = _without_subject(words), _SUBJECT.match(words.strip())
    if rest and subject is not None and (subject['be'] or '').strip().lower() in ('is', 'are'):
        return not rest.split()[0].lower().endswith('ing')
    return not rest or (_FRAGMENT.match(rest) is not None and not _subject_of(words))


def _belongs_to(before: str, words: str, thing: bool) -> bool:
    """Whether a piece goes on with the action before it."""
    subject, rest = _SUBJECT.match(words.strip()), _without_subject(words)
    if not rest:
        return False
    if subject is not None and (subject['be'] or '').strip().lower() in ('is', 'are'):
        return not rest.split()[0].lower().endswith('ing')  # "he is sad" says how
    fragment = _FRAGMENT.match(rest) is not None and not thing
    if fragment or _ADVERBS.match(rest) or _LIMB_SEEN_BEFORE.match(rest):
        return True
    if stated_duration(before)[0] or stated_duration(words)[0]:
        return False
    walks_ahead = _WALK.search(before.lower()) and not _NOT_AHEAD.search(before.lower())
    if walks_ahead and _TURN.match(rest):
        return True
    return bool(_BOW.search(before) and _UP_AGAIN.match(rest))


def _subject_of(words: str) -> str:
    match = _SUBJECT.match(words.strip())
    return match['who'] if match else ''


def _with_subjects(actions: list[str]) -> list[str]:
    """The actions after the first, none of them a verb in the third person without a subject."""
    subject = _subject_of(actions[0])
    found = []
    for action in actions[1:]:
        verb = next((w for w in action.split() if not w.endswith('ly')), '').strip('.,!?').lower()
        progressive = verb.endswith('ing') and verb not in _BASE_FORMS_IN_ING
        third = verb.endswith('s') and not verb.endswith('ss')
        named = _subject_of(action) or _FRAGMENT.match(action)  # "followed by a bow"
        if named or not (progressive or third or subject):
            found.append(action)
        else:
            found.append(f'{subject or "a person"} {"is " if progressive else ""}{action}')
    return found
