// Zero-cost proxies that take a network's computation: synflow, NASWOT and ZiCo. No torch in this header.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"
#include "search/proxy.h"
#include "supernet/supernet.h"

namespace tinynas {

struct ProxyOptions {
  int batch_size = 64;  // images of a batch
  int batches = 2;      // of ZiCo; the others use one at most
  uint64_t seed = 1;    // of the weights and of the choice of images

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};

// Every network is scored alone, at its own random weights (those that training from scratch would begin
// with), by
// - "synflow" (Tanaka et al. 2020, arXiv 2006.05467, equation 1; as a proxy Abdelfattah et al. 2021): the
//   logarithm of the sum over all weights of |w dR/dw|, R the sum of the outputs for an input of ones of the
//   network with the absolute weights, without batch norm and with linear activations (ReLU6 would be
//   saturated), in double precision;
// - "naswot" (Mellor et al. 2021, arXiv 2006.04647, section 3): log |det K| where K[i][j] is in how many
//   units behind a ReLU6 the images i and j of a batch agree to be above 0;
// - "zico" (Li et al. 2023, arXiv 2301.11300, equation 12): the sum over convolutions and the classifier of
//   the logarithm of the sum over their weights of the mean of the gradient's magnitude over its standard
//   deviation, over batches. Weights whose gradient does not vary are left out.
// `train` [images, h, w, c] at the sub-space's resolution; it and `space` must outlive the proxy. Networks
// are scored side by side on compute.workers threads. Nothing for another name.
std::unique_ptr<Proxy> make_zero_cost_proxy(const std::string& name, const SearchSpace& space,
                                            int num_classes, const ImageSet& train,
                                            const ProxyOptions& options, const ComputeOptions& compute);

}  // namespace tinynas
