// supernet.safetensors: which name each tensor has in the file.
#include <torch/torch.h>

#include "base/error.h"
#include "supernet/weights.h"

namespace tinynas {
namespace {

constexpr const char* kFormat = "tinynas-supernet-2";

// Modules of torchvision's MobileNetV2: features.0 is the stem, features.1 .. the blocks and then the head,
// classifier.1 the classifier. Inside of a block, `conv.i.0` and `conv.i.1` are a convolution and its batch
// norm with an activation after them; the projection, which has none after it, is `conv.i` and `conv.i+1`.
struct ModuleNames {
  std::string weights;
  std::string batch_norm;
};

std::string block_of(const Op& op) { return op.name.substr(0, op.name.rfind('.')); }

std::map<std::string, ModuleNames> module_names(const Graph& graph) {
  std::map<std::string, ModuleNames> names;
  int feature = 0;
  int conv = 0;
  std::string block;
  for (const Op& op : graph.ops) {
    if (!op.has_weights()) continue;
    if (op.kind == OpKind::kFullyConnected) {
      names[op.name] = {"classifier.1", ""};
      continue;
    }
    if (op.name.find('.') == std::string::npos) {  // the stem, the head
      const std::string module = "features." + std::to_string(op.name == "stem" ? 0 : feature + 1);
      names[op.name] = {module + ".0", module + ".1"};
      continue;
    }
    if (block_of(op) != block) {
      block = block_of(op);
      ++feature;
      conv = 0;
    }
    const std::string module = "features." + std::to_string(feature) + ".conv.";
    const std::string here = module + std::to_string(conv);
    names[op.name] = op.activation == Activation::kNone ? ModuleNames{here, module + std::to_string(conv + 1)}
                                                        : ModuleNames{here + ".0", here + ".1"};
    ++conv;
  }
  return names;
}

// The layer's tensors with their names in the file.
std::vector<std::pair<std::string, at::Tensor>> named_tensors(const LayerWeights& layer,
                                                              const ModuleNames& names) {
  std::vector<std::pair<std::string, at::Tensor>> tensors{{names.weights + ".weight", layer.weight}};
  if (layer.gamma.defined()) tensors.emplace_back(names.batch_norm + ".weight", layer.gamma);
  if (layer.beta.defined()) tensors.emplace_back(names.batch_norm + ".bias", layer.beta);
  if (layer.bias.defined()) tensors.emplace_back(names.weights + ".bias", layer.bias);
  for (const KernelMap& map : layer.kernel_maps) {
    tensors.emplace_back(
        names.weights + "." + std::to_string(map.from) + "to" + std::to_string(map.to) + "_matrix",
        map.matrix);
  }
  return tensors;
}

const std::string& metadata(const Safetensors& file, const std::string& key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    throw data_error(where + ": metadata has no '" + key + "': not a tinynas supernet");
  return found->second;
}

}  // namespace

Safetensors SupernetImpl::to_safetensors() const {
  Safetensors file;
  file.metadata["format"] = kFormat;
  file.metadata["network"] = to_json(space, layout, num_classes).dump();
  bool maps = false;
  for (const auto& [op, names] : module_names(lower(space, layout, num_classes))) {
    const LayerWeights& layer = layers.at(op);
    maps = maps || !layer.kernel_maps.empty();
    for (const auto& [name, tensor] : named_tensors(layer, names)) {
      const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
      file.put_floats(name, plain.sizes().vec(), plain.data_ptr<float>());
    }
  }
  file.metadata["kernel_maps"] = maps ? "learned" : "none";
  return file;
}

SupernetImpl SupernetImpl::from_safetensors(const Safetensors& file, const std::string& where) {
  const std::string& format = metadata(file, "format", where);
  if (format != kFormat) {
    throw data_error(where + ": metadata 'format' is '" + format + "', expected '" + kFormat +
                     "': another version wrote it; `tinynas train` on its run writes it anew");
  }
  const nlohmann::json json =
      nlohmann::json::parse(metadata(file, "network", where), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw data_error(where + ": metadata 'network' is not JSON");
  const ArchitectureFile parsed = architecture_from_json(json, where + ": metadata 'network'");
  SupernetImpl supernet(parsed.space, parsed.architecture, parsed.num_classes, 0);
  if (metadata(file, "kernel_maps", where) == "learned") supernet.add_kernel_maps();
  const torch::NoGradGuard no_grad;
  for (const auto& [op, names] : module_names(lower(supernet.space, supernet.layout, supernet.num_classes))) {
    for (const auto& [name, tensor] : named_tensors(supernet.layers.at(op), names)) {
      const std::vector<float> values = file.floats(name, tensor.numel());
      std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
    }
  }
  return supernet;
}

}  // namespace tinynas
