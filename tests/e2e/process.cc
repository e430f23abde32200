#include "process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/files.h"

namespace tinynas {
namespace {

[[noreturn]] void become_tinynas(const std::vector<std::string>& arguments, const std::string& out,
                                 const std::string& log, int64_t max_file_bytes) {
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
  ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
  if (max_file_bytes > 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // the write fails with EFBIG instead of killing the process
    const rlimit limit = {static_cast<rlim_t>(max_file_bytes), static_cast<rlim_t>(max_file_bytes)};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  std::vector<char*> argv = {const_cast<char*>(TINYNAS_BINARY)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(TINYNAS_BINARY, argv.data());
  ::_exit(127);
}

}  // namespace

Outcome run_tinynas(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
                    const ProcessOptions& options) {
  const std::string out = (scratch / "stdout").string();
  const std::string log = (scratch / "stderr").string();
  std::ofstream(log).close();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become_tinynas(arguments, out, log, options.max_file_bytes);

  bool sent = false;
  int status = 0;
  rusage used = {};
  while (::wait4(child, &status, WNOHANG, &used) == 0) {
    // Not before the process has said something: its handler is in place from then on.
    if (!sent && options.interrupt_when && std::filesystem::file_size(log) > 0 && options.interrupt_when()) {
      ::kill(child, SIGINT);
      sent = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  outcome.out = read_file(out);
  outcome.log = read_file(log);
  outcome.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
  return outcome;
}

}  // namespace tinynas
