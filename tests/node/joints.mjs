// Copyright 2026 The mgpt3_ros authors
// SPDX-License-Identifier: Apache-2.0
// Plays a file's animation with three.js, as a page would, and writes where nodes are, as JSON:
//   node joints.mjs FILE.glb FPS FRAMES            {name: [[x, y, z] of each frame]}
//   node joints.mjs FILE.vrma FPS FRAMES AVATAR    the same of the avatar's bones, by VRM's names
import fs from 'fs';
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { VRMLoaderPlugin } from '@pixiv/three-vrm';
import { VRMAnimationLoaderPlugin, createVRMAnimationClip } from '@pixiv/three-vrm-animation';

globalThis.self = globalThis; // the loader asks for a window's URL
const [file, fps, frames, avatar] = process.argv.slice(2);

function load(path) {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser));
  loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
  const data = fs.readFileSync(path);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return loader.parseAsync(buffer, '');
}

const gltf = await load(file);
let root = gltf.scene;
let clip = gltf.animations[0];
let update = () => {};
const shown = {};
if (avatar) {
  const { vrm } = (await load(avatar)).userData;
  root = vrm.scene;
  clip = createVRMAnimationClip(gltf.userData.vrmAnimations[0], vrm);
  update = () => vrm.humanoid.update();
  for (const name of Object.keys(vrm.humanoid.rawHumanBones)) {
    shown[name] = vrm.humanoid.getRawBoneNode(name);
  }
} else {
  root.traverse((node) => { if (node.isBone) shown[node.name] = node; });
}
const mixer = new THREE.AnimationMixer(root);
mixer.clipAction(clip).play();
const places = Object.fromEntries(Object.keys(shown).map((name) => [name, []]));
for (let frame = 0; frame < Number(frames); frame++) {
  mixer.setTime(Math.min(frame / Number(fps), clip.duration - 1e-6));
  update();
  root.updateMatrixWorld(true);
  for (const [name, node] of Object.entries(shown)) {
    places[name].push(new THREE.Vector3().setFromMatrixPosition(node.matrixWorld).toArray());
  }
}
process.stdout.write(JSON.stringify(places));
