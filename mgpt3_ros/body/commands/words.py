# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The words that commands are made of, each with its kind; the grammar is in ``reading``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mgpt3_ros.model.language.splitting import VERB_FORMS


@dataclass(frozen=True)
class Symbol:
    """Words of a command as the grammar sees them: a kind and a value of it."""

    kind: str
    value: Any = None
    words: str = ''


# Verbs and nouns of what can be done. The kinds: what legs do (walk, go, run, back, sidestep,
# turn),
# arms (raise, lift, wave, greet, shake, bye, guide), the whole body (bow), and rest (stop, stand,
# hold); bend is a turn or a bow.
_VERBS = {
    'walk': 'walk stroll march stride pace amble saunter proceed advance wander head travel hike '
    'trudge plod tread approach',
    'go': 'go move step',
    'run': 'run race rush hurry trot charge hasten',
    'jog': 'jog',
    'sprint': 'sprint dash',
    'back': 'reverse retreat withdraw',
    'sidestep': 'sidestep strafe shuffle scoot sidle',
    'turn': 'turn rotate veer curve pivot face wheel',
    'spin': 'spin twirl swivel',
    'bend': 'bend lean',
    'raise': 'raise lift hoist elevate',
    'lift': 'put stretch reach extend throw bring get stick thrust',
    'wave': 'wave',
    'greet': 'greet',
    'shake': 'shake swing waggle wiggle flap',
    'bow': 'bow',
    'guide': 'guide usher direct lead',
    'stop': 'stop halt freeze wait pause cancel abort quit stay cease rest',
    'stand': 'stand',
    'hold': 'hold',
}
_PHRASES = {
    ('back', None): ('back up', 'back off', 'back away'),
    ('stop', None): (
        *('emergency stop', 'full stop', 'all stop', 'enough', 'whoa', 'never mind', 'do nothing'),
        *('forget it', 'hold it', 'hold on', 'hold still', 'hang on', 'be still', 'relax'),
        *('come to a stop', 'come to a halt', 'come to rest', 'stand still', 'stand straight'),
        *('comes to a stop', 'comes to a halt', 'stands still', 'standing still'),
    ),
    ('raise', 'both'): ('surrender', 'surrenders', 'surrendering'),
    ('wave', None): ('say hello', 'says hello', 'say hi', 'says hi', 'saying hello', 'greetings'),
    ('bye', None): (
        *('say goodbye', 'says goodbye', 'saying goodbye', 'say bye', 'says bye', 'saying bye'),
        *(
            'wave goodbye',
            'waves goodbye',
            'waving goodbye',
            'wave bye',
            'goodbye',
            'bye bye',
            'bye',
        ),
        *('farewell', 'say farewell', 'wave farewell', 'wave bye bye', 'wave a goodbye'),
    ),
    ('guide', None): ('show the way', 'shows the way', 'point the way', 'points the way'),
    ('way', None): ('the way', 'which way', 'this way'),
    ('show', None): ('show', 'shows', 'showing', 'point', 'points', 'tell'),
    ('start', None): ('start', 'starts', 'begin', 'begins', 'begin to', 'start to', 'starts to'),
    ('keep', None): ('keep', 'keeps', 'keep on', 'continue to', 'continues to'),
    ('light', None): (
        'take',
        'takes',
        'taking',
        'make',
        'makes',
        'hang',
        'give',
        'do',
        'does',
        'use',
    ),
    ('direction', 'forward'): (
        *('forward', 'ahead', 'straight ahead', 'straight on', 'straight', 'onward'),
        *('straight forward',),
    ),
    ('direction', 'back'): ('backward', 'back', 'in reverse'),
    ('direction', 'around'): ('around', 'round', 'about face', 'uturn', 'a uturn'),
    ('direction', 'circle'): ('in a circle', 'in circles', 'a circle'),
    ('direction', 'whole'): ('all the way around', 'a full turn', 'a whole turn', 'full circle'),
    ('direction', 'sideways'): ('sideways', 'to the side', 'aside', 'laterally'),
    ('side', 'left'): ('left', 'leftward', 'left handed'),
    ('side', 'right'): ('right', 'rightward', 'right handed'),
    ('side', 'both'): ('both', 'both of', 'two'),
    ('to_side', 'left'): (
        'to the left',
        'to your left',
        'to his left',
        'to her left',
        'leftwards',
    ),
    ('to_side', 'right'): ('to the right', 'to your right', 'to his right', 'to her right'),
    ('limb', 'one'): ('arm', 'hand'),
    ('limb', 'both'): ('arms', 'hands'),
    ('up', None): (
        *('up', 'high', 'upward', 'upwards', 'overhead', 'in the air', 'into the air', 'raised'),
        *('above your head', 'over your head', 'above the head', 'to the sky', 'to the ceiling'),
        *('at the sky', 'toward the sky', 'toward the ceiling', 'for the sky', 'for the ceiling'),
    ),
    ('part', None): (
        *('leg', 'legs', 'foot', 'feet', 'knee', 'knees', 'hip', 'hips', 'shoulder', 'shoulders'),
        *('your head', 'the head', 'his head', 'her head', 'elbow', 'elbows', 'finger', 'fingers'),
    ),
    ('function', None): ('your back', 'the back', 'his back', 'her back', 'on foot'),
    ('after', None): ('after',),
    ('not', None): ('not', 'never', 'no', 'no more'),
    ('avoid', None): ('avoid', 'avoid to'),
    ('without', None): ('without',),
    ('until', None): ('until', 'till'),
    ('if', None): ('if', 'unless', 'when', 'whenever', 'in case'),
    ('while', None): ('while', 'as you', 'as he', 'as she', 'at the same time', 'and at once'),
    ('and', None): ('and', 'but'),
    ('then', None): (
        *('then', 'and then', 'after that', 'and after that', 'afterward', 'afterwards', 'next'),
        *('and afterwards', 'finally', 'and finally', 'followed by', 'and next', 'but then'),
    ),
    ('first', None): ('first', 'firstly', 'at first'),
    ('speed', 'slow'): (
        *('slowly', 'slow', 'very slowly', 'at a slow pace', 'leisurely', 'gently'),
        *('at slow speed',),
    ),
    ('speed', 'normal'): ('at normal speed', 'normally', 'at a normal pace', 'as usual'),
    ('speed', 'fast'): (
        *('fast', 'quickly', 'quick', 'very fast', 'rapidly', 'briskly', 'swiftly', 'at a run'),
        *('as fast as you can', 'as fast as possible', 'as quickly as you can', 'at full speed'),
        *('at a fast pace', 'at high speed'),
    ),
    ('relative', 'faster'): (
        *('faster', 'go faster', 'more quickly', 'speed up', 'hurry up', 'quicker', 'move faster'),
    ),
    ('relative', 'slower'): (
        *(
            'slower',
            'go slower',
            'move slower',
            'more slowly',
            'slow down',
            'not so fast',
            'too fast',
            'slow it down',
        ),
    ),
    ('relative', 'again'): (
        *('again', 'once more', 'one more time', 'repeat', 'do it again', 'do that again'),
        *('repeat that', 'repeat it', 'repeat the last one'),
    ),
    ('relative', 'continue'): (
        *('continue', 'keep going', 'go on', 'carry on', 'keep on', 'keep it up', 'resume'),
    ),
    ('relative', 'opposite'): (
        *('the other way', 'the other direction', 'other direction', 'the other side'),
        *('other way', 'other side', 'the opposite way', 'in the other direction'),
        *('opposite direction', 'the opposite direction'),
    ),
    ('relative', 'back'): (
        *('undo', 'undo that', 'undo it', 'go back', 'come back', 'return', 'take that back'),
        *('go back to the start', 'go back to start', 'go back to where you were'),
        *('return to where you were', 'return to the start', 'go back to the beginning'),
    ),
    ('relative', 'finish'): (
        *('stop after this', 'stop after that', 'stop when you are done', 'stop when done'),
        *('finish this and stop', 'finish and stop', 'finish this', 'stop after this one'),
    ),
    ('endless', None): (
        *('again and again', 'over and over', 'forever', 'endlessly', 'on and on', 'nonstop'),
        *(
            'without stopping',
            'without a stop',
            'without a pause',
            'without end',
            'without an end',
        ),
        *(
            'until stopped',
            'until further notice',
            'until told otherwise',
            'until i say otherwise',
        ),
        *('continuously', 'indefinitely', 'all the time', 'and on'),
    ),
    ('degree', 'little'): (
        *('a little', 'a bit', 'a little bit', 'slightly', 'a tad', 'a touch', 'somewhat'),
    ),
    ('count', 1): ('once',),
    ('count', 2): ('twice',),
    ('count', 3): ('thrice',),
    ('vague', 2): ('a couple', 'a couple of', 'couple of'),
    ('vague', 3): ('a few', 'some', 'a number of'),
    ('vague', 4): ('several',),
}
# Units: what a number before them tells, and by what it is multiplied.
_UNITS: dict[str, dict[str, float]] = {
    'distance': {'meter': 1.0, 'centimeter': 0.01, 'kilometer': 1000.0, 'foot': 0.3048}
    | {'inch': 0.0254, 'yard': 0.9144, 'millimeter': 0.001, 'mile': 1609.344},
    'steps': {'step': 1, 'pace': 1},
    'angle': {'degree': 1.0, 'radian': 57.29577951, 'turn': 360.0},
    'count': {'time': 1},
    'duration': {'second': 1.0, 'minute': 60.0, 'hour': 3600.0},
    'rate': {
        **{'meter per second': 1.0, 'meter a second': 1.0, 'kilometer per hour': 1 / 3.6},
        **{'centimeter per second': 0.01, 'mile per hour': 0.44704, 'foot per second': 0.3048},
    },
}
_PLURALS = {'foot': 'feet', 'inch': 'inches'}

# Words without weight, and those with which a question begins.
_FUNCTION = (
    *('a', 'an', 'the', 'this', 'that', 'these', 'those', 'his', 'her', 'their', 'its', 'your'),
    *('my', 'our', 'to', 'at', 'in', 'on', 'onto', 'into', 'by', 'for', 'of', 'from', 'with'),
    *(
        'using',
        'it',
        'he',
        'she',
        'they',
        'you',
        'them',
        'him',
        'us',
        'me',
        'i',
        'we',
        'is',
        'are',
    ),
    *('am', 'be', 'been', 'being', 'will', 'should', 'must', 'may', 'can', 'could', 'would'),
    *('shall', 'so', 'too', 'also', 'as', 'here', 'there', 'just', 'person', 'someone', 'man'),
    *('somebody', 'robot', 'woman', 'character', 'figure', 'human', 'body', 'deep', 'polite'),
    *('over', 'down'),
)
QUESTIONS = (
    *('what', 'how', 'why', 'who', 'whose', 'where', 'which', 'is', 'are', 'was', 'were', 'am'),
    *('did', 'has', 'do you', 'do we', 'do they', 'does he', 'does she', 'does it', 'have you'),
)


def forms(verb: str) -> tuple[str, ...]:
    """Imperative, third person and progressive: walk, walks, walking; run, runs, running."""
    third = f'{verb}es' if verb.endswith(('s', 'sh', 'ch', 'x', 'o')) else f'{verb}s'
    third = f'{verb[:-1]}ies' if verb[-1] == 'y' and verb[-2] not in 'aeiou' else third
    stem = verb[:-1] if verb.endswith('e') else verb
    short = (
        len(verb) <= 4 and verb[-1] in 'pntg' and verb[-2] in 'aeiou' and verb[-3] not in 'aeiou'
    )
    doubled = (f'{verb}{verb[-1]}ing',) if short or verb == 'sidestep' else ()
    return verb, third, f'{stem}ing', *doubled


def _lexicon() -> dict[str, Symbol]:
    found = {form: Symbol('other', form, form) for form in VERB_FORMS}
    for form in tuple(found):
        for longer in forms(form)[2:]:
            found[longer] = Symbol('other', form, longer)
    found |= {word: Symbol('function', None, word) for word in _FUNCTION}
    for kind, verbs in _VERBS.items():
        for verb in verbs.split():
            found |= {form: Symbol(kind, None, form) for form in forms(verb)}
    for (kind, value), phrases in _PHRASES.items():
        found |= {phrase: Symbol(kind, value, phrase) for phrase in phrases}
    return found


def _units() -> dict[str, Symbol]:
    found = {}
    for kind, units in _UNITS.items():
        for unit, factor in units.items():
            first, space, rest = unit.partition(' ')
            for form in (first, _PLURALS.get(first, f'{first}s')):
                found[form + space + rest] = Symbol(kind, factor, form + space + rest)
    return found


LEXICON = _lexicon()
UNITS = _units()
LONGEST = max(len(phrase.split()) for phrase in (*LEXICON, *UNITS))
