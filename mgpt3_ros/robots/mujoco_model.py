# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's URDF as a MuJoCo model with a free base on a floor (extra ``sim``)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.robots.packages import resolve
from mgpt3_ros.robots.robot import Robot

FLOOR = 'floor'
_MESHES = ('.stl', '.obj')  # that MuJoCo reads
# Names of files stay as they are, links without a joint too. Some URDFs have links without mass or
# with an inertia that no body has: both are mended, as all simulators do.
_COMPILER = {
    'fusestatic': 'false',
    'strippath': 'false',
    'discardvisual': 'true',
    'balanceinertia': 'true',
    'boundmass': '1e-4',
    'boundinertia': '1e-7',
}


@dataclass(frozen=True)
class MujocoModel:
    """A compiled model, and where the robot's n joints are in it.

    places, rates: (n,) columns of ``qpos`` and ``qvel``. held: (column of qpos, value) of the
    joints that are not commanded. without_mesh: links whose collision shapes MuJoCo cannot read.
    """

    model: Any
    places: NDArray[np.intp]
    rates: NDArray[np.intp]
    held: tuple[tuple[int, float], ...]
    without_mesh: tuple[str, ...]


def mujoco_model(robot: Robot) -> MujocoModel:
    """Build the model of a robot; pairs of links that touch as it stands do not collide.

    Raises:
        MissingExtraError: MuJoCo is not installed.
        RobotError: MuJoCo refuses the URDF.
    """
    with extra('sim'):
        import mujoco
    text, without = _urdf(robot)
    try:
        spec = mujoco.MjSpec.from_string(text)
        spec.body(robot.base_link).add_freejoint()
        plane = mujoco.mjtGeom.mjGEOM_PLANE
        spec.worldbody.add_geom(name=FLOOR, type=plane, size=[0.0, 0.0, 1.0])
        model = spec.compile()
        found = _found(robot, model, without)
        for pair in _touching(robot, found):
            spec.add_exclude(bodyname1=pair[0], bodyname2=pair[1])
        return _found(robot, spec.compile(), without)
    except ValueError as error:
        raise RobotError(f'{robot.urdf.path.name}: MuJoCo cannot use it: {error}') from error


def stand(robot: Robot, built: MujocoModel, data: Any) -> None:
    """Put a robot into its stand pose on the floor, at rest."""
    data.qpos[:] = 0.0
    data.qvel[:] = 0.0
    x, y, z, w = _quaternion(robot.facing)
    data.qpos[:7] = [0.0, 0.0, robot.base_height, w, x, y, z]
    data.qpos[built.places] = robot.stand
    for place, value in built.held:
        data.qpos[place] = value


def touching(built: MujocoModel, data: Any, deeper: float = 0.0) -> set[tuple[str, str]]:
    """Return the pairs of links that touch, in order of their names; the floor is ``floor``.

    A link that is fixed to another counts as that one. ``deeper``: how deep [m] they must be in
    each other.
    """
    model, count = built.model, data.ncon
    deep = data.contact.dist[:count] <= -deeper
    bodies = model.body_weldid[model.geom_bodyid[data.contact.geom[:count][deep]]]
    pairs = set()
    for one, other in np.unique(np.sort(bodies, axis=1), axis=0):
        names = sorted(model.body(body).name if body else FLOOR for body in (one, other))
        pairs.add((names[0], names[1]))
    return pairs


def carrier(built: MujocoModel, link: str) -> str:
    """Return the link that a link is fixed to, or itself."""
    model = built.model
    return str(model.body(model.body_weldid[model.body(link).id]).name)


def _urdf(robot: Robot) -> tuple[str, tuple[str, ...]]:
    """Return the URDF below the base link for MuJoCo, and the links without a shape."""
    tree, path = robot.urdf, robot.urdf.path
    joints = {joint.name for joint in tree.joints}
    root = ElementTree.parse(path).getroot()
    for element in list(root):
        name = element.get('name')
        known = {'link': name in tree.links, 'joint': name in joints, 'material': True}
        if not known.get(element.tag, False):
            root.remove(element)
    without = [link.get('name', '') for link in root.findall('link') if _drop(link, path.parent)]
    ElementTree.SubElement(ElementTree.SubElement(root, 'mujoco'), 'compiler', _COMPILER)
    return ElementTree.tostring(root, encoding='unicode'), tuple(without)


def _drop(link: ElementTree.Element, folder: Path) -> bool:
    """Take what is only seen out of a link, and shapes in files that MuJoCo does not read."""
    for visual in link.findall('visual'):
        link.remove(visual)
    dropped = False
    for collision in link.findall('collision'):
        mesh = collision.find('geometry/mesh')
        if mesh is None:
            continue
        try:
            file = resolve(mesh.get('filename', ''), folder)
        except RobotError:
            file = Path()
        if file.suffix.lower() in _MESHES:
            mesh.set('filename', str(file))
        else:
            link.remove(collision)
            dropped = True
    return dropped


def _found(robot: Robot, model: Any, without: tuple[str, ...]) -> MujocoModel:
    names = robot.joint_names
    held = tuple(
        (int(model.joint(name).qposadr[0]), value)
        for name, value in robot.config.hold.items()
        if name not in names
    )
    return MujocoModel(
        model,
        np.array([model.joint(name).qposadr[0] for name in names], dtype=np.intp),
        np.array([model.joint(name).dofadr[0] for name in names], dtype=np.intp),
        held,
        without,
    )


def _touching(robot: Robot, built: MujocoModel) -> set[tuple[str, str]]:
    import mujoco

    data = mujoco.MjData(built.model)
    stand(robot, built, data)
    mujoco.mj_kinematics(built.model, data)
    mujoco.mj_collision(built.model, data)
    return {pair for pair in touching(built, data) if FLOOR not in pair}


def _quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(rotation).as_quat())
