// Copyright 2026 The mgpt3_ros authors
// SPDX-License-Identifier: Apache-2.0
// Writes what Khronos's validator finds in a file, as JSON: node validate.js FILE
const fs = require('fs');
const validator = require('gltf-validator');

validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2]))).then((report) => {
  process.stdout.write(JSON.stringify(report.issues));
});
