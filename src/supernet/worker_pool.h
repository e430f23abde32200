// Threads that compute side by side, each with one intra-op thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tinynas {

// OpenMP's own parallelism collapses when the machine is busy (every loop waits for the slowest thread), and
// it would make sums depend on the number of threads. So one forward/backward pass runs on one thread, and
// passes run side by side.
class WorkerPool {
 public:
  explicit WorkerPool(int workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Calls task(0) .. task(count - 1), each once, on the workers; returns when all are done. Which worker runs
  // which task is not defined, so tasks must not depend on it. The exception of the lowest failing task is
  // rethrown.
  void run(int64_t count, const std::function<void(int64_t)>& task);

 private:
  void work();

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int64_t)>* task_ = nullptr;
  int64_t count_ = 0;
  int64_t next_ = 0;
  int64_t running_ = 0;
  int64_t failed_task_ = 0;
  std::exception_ptr failure_;
  bool stop_ = false;
};

}  // namespace tinynas
