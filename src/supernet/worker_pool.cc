#include "supernet/worker_pool.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace tinynas {

WorkerPool::WorkerPool(int workers) {
  for (int i = 0; i < std::max(1, workers); ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(int64_t count, const std::function<void(int64_t)>& task) {
  std::unique_lock lock(mutex_);
  task_ = &task;
  count_ = count;
  next_ = 0;
  failure_ = nullptr;
  wake_.notify_all();
  done_.wait(lock, [this] { return next_ >= count_ && running_ == 0; });
  task_ = nullptr;
  if (failure_) std::rethrow_exception(failure_);
}

void WorkerPool::work() {
  at::set_num_threads(1);  // the setting is per thread
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || (task_ != nullptr && next_ < count_); });
    if (stop_) return;
    const int64_t index = next_++;
    ++running_;
    const auto& task = *task_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      task(index);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --running_;
    if (failure && (!failure_ || index < failed_task_)) {
      failure_ = failure;
      failed_task_ = index;
      next_ = count_;  // what has not started is not worth starting
    }
    if (next_ >= count_ && running_ == 0) done_.notify_all();
  }
}

}  // namespace tinynas
