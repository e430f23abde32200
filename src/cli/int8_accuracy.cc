#include "cli/int8_accuracy.h"

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "quantize/interpreter.h"

namespace tinynas {

double int8_accuracy(const Int8Model& model, const ImageSet& set, int workers, const std::string& label) {
  if (set.size() == 0) throw data_error(label + ": there are no images to measure accuracy on");
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> correct{0};
  const auto work = [&](Progress* progress) {
    Interpreter interpreter(model);
    for (int64_t i = next++; i < set.size() && !interrupted(); i = next++) {
      const std::vector<int8_t> input = quantize_pixels(set.image(i), set.image_bytes());
      if (argmax(interpreter.run(input.data())) == set.labels[static_cast<size_t>(i)]) ++correct;
      if (progress != nullptr) progress->update(std::min(next.load(), set.size()));
    }
  };
  {
    Progress progress(label, set.size());
    std::vector<std::jthread> helpers;
    for (int worker = 1; worker < workers; ++worker) helpers.emplace_back(work, nullptr);
    work(&progress);
    helpers.clear();  // joins
    if (!interrupted()) progress.update(set.size());
  }
  check_interrupt();
  return static_cast<double>(correct) / static_cast<double>(set.size());
}

}  // namespace tinynas
