#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/units.h"

namespace tinynas {

void write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  const std::string temporary = path.string() + ".tmp" + std::to_string(::getpid());
  const auto fail = [&](const char* doing) {
    const std::string reason = std::strerror(errno);
    ::unlink(temporary.c_str());
    throw io_error(path.string() + ": " + doing + ": " + reason);
  };
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail("cannot be created");
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote = ::write(fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const int reason = errno;
      ::close(fd);
      errno = reason;
      fail("cannot be written");
    }
    done += static_cast<size_t>(wrote);
  }
  if (::fsync(fd) != 0 && errno != EINVAL) {
    const int reason = errno;
    ::close(fd);
    errno = reason;
    fail("cannot be written");
  }
  if (::close(fd) != 0) fail("cannot be written");
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot be renamed into place");
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw io_error(path.string() + ": cannot be read: " + std::strerror(errno));
  std::ostringstream content;
  content << file.rdbuf();
  if (file.bad()) throw io_error(path.string() + ": cannot be read");
  return content.str();
}

std::string read_given_file(const std::filesystem::path& path, int64_t most_bytes, ExitCode code) {
  const auto fail = [&](const std::string& what) { return Error(code, path.string() + ": " + what); };
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw fail(status.type() == std::filesystem::file_type::not_found ? "does not exist"
                                                                      : "cannot be read: " + error.message());
  }
  if (std::filesystem::is_directory(status)) throw fail("is a folder, expected a file");
  if (!std::filesystem::is_regular_file(status))
    throw fail("is a device or a pipe, expected a regular file (its size must be known before it is read)");
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (error) throw fail("cannot be read: " + error.message());
  if (bytes > most_bytes) {
    throw fail("has " + std::to_string(bytes) + " bytes, such a file may have at most " +
               std::to_string(most_bytes) + " (" + format_bytes(most_bytes) + ")");
  }
  try {
    return read_file(path);
  } catch (const Error& unreadable) {
    throw Error(code, unreadable.what());
  }
}

}  // namespace tinynas
