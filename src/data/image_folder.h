// A plain folder of pictures: train/<class>/*.jpg|jpeg|png, with or without test/<class>/, or val/<class>/ as
// ImageNet has it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace tinynas {

// Without test/ and val/ this fraction of train/ is held out as the test part.
inline constexpr double kFolderTestFraction = 0.15;

struct ImageFolder {
  std::vector<std::string> class_names;  // the folders of train/, sorted: a class's label is its position
  ImageSet train;
  ImageSet test;
};

// Pictures are squeezed to size x size RGB (antialiased; the aspect ratio is not kept). Files of other kinds
// are skipped and counted in the log, hidden ones silently. The test part is test/; without it val/ (what a
// search validates on is held out of train/ in any case); without both a stratified, seeded part of train/,
// which is logged. Throws Error(kData) naming the file or folder: a damaged picture, fewer than two classes,
// a class without pictures, a class in the test part that train/ lacks.
ImageFolder read_image_folder(const std::filesystem::path& root, int size, uint64_t seed);

}  // namespace tinynas
