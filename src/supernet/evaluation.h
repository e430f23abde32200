// Recalibrated accuracy of sub-networks.
#pragma once

#include "supernet/graph_runner.h"
#include "supernet/supernet.h"

namespace tinynas {

// Batch-norm statistics of one sub-network: the mean over `batches` batches of `train` (without augmentation;
// a fixed, seeded choice of images) of the batches' own mean and variance (Once-for-All, section 3.2; MCUNet,
// section 3.1).
StatisticsByOp recalibrate(const SupernetImpl& weights, const Graph& graph, const ImageSet& train,
                           const RecalibrationOptions& options, const std::string& device);

// Number of correct top-1 answers on images [first, last) of `set`.
int64_t count_correct(const FoldedLayers& layers, const Graph& graph, const ImageSet& set,
                      const std::vector<int64_t>& indices, const std::string& device);

}  // namespace tinynas
