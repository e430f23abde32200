#include "armnn_library.h"

#include <armnn/ArmNN.hpp>
#include <armnnTfLiteParser/ITfLiteParser.hpp>
#include <stdexcept>

namespace tinynas::judges {

std::map<std::string, std::vector<int8_t>> run_armnn(const std::string& file,
                                                     const std::vector<int8_t>& input) {
  const auto parser = armnnTfLiteParser::ITfLiteParser::Create();
  const auto network = parser->CreateNetworkFromBinary({file.begin(), file.end()});
  const std::vector<std::string> input_names = parser->GetSubgraphInputTensorNames(0);
  if (input_names.size() != 1) throw std::runtime_error("Arm NN: expected one input");
  const auto [input_id, input_info] = parser->GetNetworkInputBindingInfo(0, input_names[0]);
  if (input_info.GetNumBytes() != input.size())
    throw std::runtime_error("Arm NN: the input has another size");

  const auto runtime = armnn::IRuntime::Create(armnn::IRuntime::CreationOptions());
  std::vector<std::string> messages;
  auto optimised =
      armnn::Optimize(*network, {armnn::Compute::CpuRef}, runtime->GetDeviceSpec(), armnn::OptimizerOptions(),
                      armnn::Optional<std::vector<std::string>&>(messages));
  armnn::NetworkId id = 0;
  std::string message;
  if (!optimised || runtime->LoadNetwork(id, std::move(optimised), message) != armnn::Status::Success) {
    for (const std::string& line : messages) message += " " + line;
    throw std::runtime_error("Arm NN cannot load the network: " + message);
  }
  std::map<std::string, std::vector<int8_t>> outputs;
  armnn::OutputTensors bindings;
  for (const std::string& name : parser->GetSubgraphOutputTensorNames(0)) {
    const auto [output_id, output_info] = parser->GetNetworkOutputBindingInfo(0, name);
    std::vector<int8_t>& values = outputs[name];
    values.resize(output_info.GetNumBytes());
    bindings.emplace_back(output_id, armnn::Tensor(output_info, values.data()));
  }
  const armnn::InputTensors inputs{{input_id, armnn::ConstTensor(input_info, input.data())}};
  if (runtime->EnqueueWorkload(id, inputs, bindings) != armnn::Status::Success) {
    throw std::runtime_error("Arm NN cannot run the network");
  }
  runtime->UnloadNetwork(id);
  return outputs;
}

}  // namespace tinynas::judges
