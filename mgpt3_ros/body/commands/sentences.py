# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sentence by which the models know each action."""

from __future__ import annotations

# How the models know each action: plain captions of the training data.
SENTENCES = {
    'walk': 'walk straight ahead',
    'run': 'a person runs forward',
    'walk-back': 'a person walks backward',
    'walk-left': 'a person sidesteps to the left',
    'walk-right': 'a person sidesteps to the right',
    'walk-turn-left': 'a person walks forward and turns left',
    'walk-turn-right': 'a person walks forward and turns right',
    'raise-up-left-hand': 'a person raises the left arm',
    'raise-up-right-hand': 'a person raises the right arm',
    'raise-up-both-hands': 'a person raises both arms',
    'wave-left-hand': 'a person waves the left hand',
    'wave-right-hand': 'a person waves the right hand',
    'wave-both-hands': 'a person waves with both hands',
    'bye': 'a person says goodbye',
    'guide': 'a person shows the way',
    'bow': 'a person bows',
}
