# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH files for tests: a small one, and the bodies of other programs."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS
from mgpt3_ros.model.motion import Motion

J = {name: index for index, name in enumerate(JOINT_NAMES)}

CHAIN = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT b
  {
    OFFSET 0 2 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 0 0 1
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.05
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 0 90 0
"""


def error_mm(motion: Motion, other: Motion) -> float:
    """How far apart joints are in the mean [mm]."""
    return 1000 * float(np.linalg.norm(motion.joints - other.joints, axis=-1).mean())


MIXAMO = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'LeftUpLeg', 'RightUpLeg', 'Spine', 'LeftLeg', 'RightLeg', 'Spine1'),
            *('LeftFoot', 'RightFoot', 'Spine2', 'LeftToeBase', 'RightToeBase', 'Neck'),
            *('LeftShoulder', 'RightShoulder', 'Head', 'LeftArm', 'RightArm'),
            *('LeftForeArm', 'RightForeArm', 'LeftHand', 'RightHand'),
        ],
        strict=True,
    )
)

STYLE_100 = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'LeftHip', 'RightHip', 'Chest', 'LeftKnee', 'RightKnee', 'Chest2'),
            *('LeftAnkle', 'RightAnkle', 'Chest4', 'LeftToe', 'RightToe', 'Neck'),
            *('LeftCollar', 'RightCollar', 'Head', 'LeftShoulder', 'RightShoulder'),
            *('LeftElbow', 'RightElbow', 'LeftWrist', 'RightWrist'),
        ],
        strict=True,
    )
)

CMU = {**MIXAMO, 'spine1': 'LowerBack', 'spine2': 'Spine', 'spine3': 'Spine1', 'neck': 'Neck1'}

BANDAI = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'UpperLeg_L', 'UpperLeg_R', 'Spine', 'LowerLeg_L', 'LowerLeg_R', 'unnamed'),
            *('Foot_L', 'Foot_R', 'Chest', 'Toes_L', 'Toes_R', 'Neck'),
            *('Shoulder_L', 'Shoulder_R', 'Head', 'UpperArm_L', 'UpperArm_R'),
            *('LowerArm_L', 'LowerArm_R', 'Hand_L', 'Hand_R'),
        ],
        strict=True,
    )
)

UNREAL = dict(
    zip(
        JOINT_NAMES,
        [
            *('pelvis', 'thigh_l', 'thigh_r', 'spine_01', 'calf_l', 'calf_r', 'spine_02'),
            *('foot_l', 'foot_r', 'spine_03', 'ball_l', 'ball_r', 'neck_01', 'clavicle_l'),
            *('clavicle_r', 'head', 'upperarm_l', 'upperarm_r', 'lowerarm_l', 'lowerarm_r'),
            *('hand_l', 'hand_r'),
        ],
        strict=True,
    )
)

BIPED = dict(
    zip(
        JOINT_NAMES,
        [
            *('Bip01', 'Bip01_L_Thigh', 'Bip01_R_Thigh', 'Bip01_Spine', 'Bip01_L_Calf'),
            *('Bip01_R_Calf', 'Bip01_Spine1', 'Bip01_L_Foot', 'Bip01_R_Foot', 'Bip01_Spine2'),
            *('Bip01_L_Toe0', 'Bip01_R_Toe0', 'Bip01_Neck', 'Bip01_L_Clavicle'),
            *('Bip01_R_Clavicle', 'Bip01_Head', 'Bip01_L_UpperArm', 'Bip01_R_UpperArm'),
            *('Bip01_L_Forearm', 'Bip01_R_Forearm', 'Bip01_L_Hand', 'Bip01_R_Hand'),
        ],
        strict=True,
    )
)

FOREIGN = {
    'Unreal': UNREAL,
    'Biped': BIPED,
    'Mixamo': {joint: f'mixamorig:{name}' for joint, name in MIXAMO.items()},
    'CMU': CMU,
    'Bandai-Namco': BANDAI,
    'Biovision': STYLE_100,
}


def foreign(motion: Motion, names: dict[str, str], scale: float = 1.0) -> str:
    """A BVH of other names, each joint with six channels in other orders, in other units."""
    lines, columns = ['HIERARCHY'], []

    def add(joint: int) -> None:
        children = [child for child, parent in enumerate(PARENTS) if parent == joint]
        lines.append(f'{"JOINT" if joint else "ROOT"} {names[JOINT_NAMES[joint]]} {{')
        lines.extend(['OFFSET 1 2 3', 'CHANNELS 3 Zposition Yposition Xposition'])
        parent = motion.joints[:, PARENTS[joint]] if joint else 0
        columns.append((motion.joints[:, joint] - parent)[:, ::-1] * scale)
        for child in children:
            add(child)
        if not children:
            lines.extend(['End Site', '{', f'OFFSET 0 {0.1 * scale} 0', '}'])
        lines.append('}')

    add(0)
    lines += ['MOTION', f'Frames: {motion.num_frames}', f'Frame Time: {1 / motion.fps:.6f}']
    lines += [' '.join(f'{v:.6f}' for v in row) for row in np.concatenate(columns, axis=1)]
    return '\r\n'.join(lines)


OWN = dict(
    zip(
        JOINT_NAMES,
        [
            *('Root', 'BeinL', 'BeinR', 'Kreuz', 'KnieL', 'KnieR', 'Bauch', 'FussL', 'FussR'),
            *('Brust', 'ZeheL', 'ZeheR', 'Hals', 'BlattL', 'BlattR', 'Kopf', 'ArmL', 'ArmR'),
            *('EllbogenL', 'EllbogenR', 'HandL', 'HandR'),
        ],
        strict=True,
    )
)
