// IDX, the format of MNIST and Fashion-MNIST (yann.lecun.com/exdb/mnist, "file formats").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace tinynas {

// idx3-ubyte: n grey images [n][height][width], uint8; labels are left empty. `path` is for messages only.
// Throws Error(kData) naming it, with what was got and expected, when the header or the size is wrong.
ImageSet parse_idx_images(std::string_view bytes, const std::filesystem::path& path);

// idx1-ubyte: labels, each checked to be below `classes`.
std::vector<int32_t> parse_idx_labels(std::string_view bytes, int classes, const std::filesystem::path& path);

// `PREFIX-images-idx3-ubyte` and `PREFIX-labels-idx1-ubyte` of a folder, which must agree in count.
ImageSet read_idx(const std::filesystem::path& folder, const std::string& prefix, int classes);

}  // namespace tinynas
