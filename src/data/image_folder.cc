#include "data/image_folder.h"

#include <spdlog/spdlog.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/interrupt.h"
#include "base/rng.h"
#include "data/data_file.h"
#include "data/image_file.h"
#include "data/split.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

struct LabelledFile {
  fs::path path;
  int32_t label;
};

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

// Names of the entries that are not hidden, sorted, so that the order never depends on the file system.
std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().front() != '.') entries.push_back(it->path());
  }
  if (error) throw bad_file(folder, "folder cannot be read: " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<std::string> subfolders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& entry : sorted_entries(folder)) {
    if (fs::is_directory(entry)) names.push_back(entry.filename().string());
  }
  return names;
}

// The pictures of one part; every class that `part` has must be in `class_names`.
std::vector<LabelledFile> list_pictures(const fs::path& part, const std::vector<std::string>& class_names) {
  std::vector<LabelledFile> files;
  int64_t skipped = 0;
  for (const std::string& name : subfolders(part)) {
    const auto found = std::find(class_names.begin(), class_names.end(), name);
    if (found == class_names.end()) throw bad_file(part / name, "no such class in train/");
    const size_t before = files.size();
    for (const fs::path& entry : sorted_entries(part / name)) {
      if (fs::is_regular_file(entry) && is_picture(entry)) {
        files.push_back({entry, static_cast<int32_t>(found - class_names.begin())});
      } else {
        ++skipped;
      }
    }
    if (files.size() == before)
      throw bad_file(part / name, "no *.jpg, *.jpeg or *.png in the folder of this class");
  }
  if (skipped > 0)
    spdlog::warn("{}: {} files that are not *.jpg, *.jpeg or *.png were skipped", part.string(), skipped);
  return files;
}

ImageSet decode_all(const std::vector<LabelledFile>& files, int size) {
  ImageSet set;
  set.height = set.width = size;
  set.channels = 3;
  set.labels.resize(files.size());
  set.pixels.resize(files.size() * static_cast<size_t>(set.image_bytes()));
  tbb::parallel_for(size_t{0}, files.size(), [&](size_t i) {
    check_interrupt();
    RgbImage picture = decode_image(read_data_file(files[i].path), files[i].path);
    ImageSet one;
    one.height = picture.height;
    one.width = picture.width;
    one.channels = 3;
    one.pixels = std::move(picture.rgb);
    one.labels = {files[i].label};
    one = resample(one, size);
    std::copy(one.pixels.begin(), one.pixels.end(),
              set.pixels.begin() + static_cast<int64_t>(i) * set.image_bytes());
    set.labels[i] = files[i].label;
  });
  return set;
}

}  // namespace

ImageFolder read_image_folder(const fs::path& root, int size, uint64_t seed) {
  const fs::path train = root / "train";
  if (!fs::is_directory(train)) {
    throw bad_file(
        root,
        "no folder train/ in it; expected train/<class>/*.jpg|jpeg|png and, if you like, test/<class>/ or "
        "val/<class>/");
  }
  ImageFolder folder;
  folder.class_names = subfolders(train);
  if (folder.class_names.size() < 2) {
    throw bad_file(train, std::to_string(folder.class_names.size()) + " class folders; expected two or more");
  }
  folder.train = decode_all(list_pictures(train, folder.class_names), size);
  for (const char* part : {"test", "val"}) {
    if (!fs::is_directory(root / part)) continue;
    folder.test = decode_all(list_pictures(root / part, folder.class_names), size);
    if (folder.test.size() == 0) throw bad_file(root / part, "no pictures in it");
    return folder;
  }
  const auto held_out =
      static_cast<int64_t>(std::llround(kFolderTestFraction * static_cast<double>(folder.train.size())));
  const Split split = stratified_choice(folder.train.labels, held_out, Rng(seed).fork("folder test part"));
  folder.test = take(folder.train, split.chosen);
  folder.train = take(folder.train, split.rest);
  spdlog::info(
      "{}: no test/ or val/, so {} of {} pictures of train/ are held out as the test part (stratified, seed "
      "{})",
      root.string(), folder.test.size(), folder.test.size() + folder.train.size(), seed);
  return folder;
}

}  // namespace tinynas
