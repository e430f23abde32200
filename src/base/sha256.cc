#include "base/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "base/files.h"

namespace tinynas {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &bytes, EVP_sha256(), nullptr) != 1) {
    throw io_error("internal error: OpenSSL has no SHA-256");
  }
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < bytes; ++i) hex += {digits[digest[i] >> 4], digits[digest[i] & 15]};
  return hex;
}

std::string sha256_file_hex(const std::filesystem::path& path) { return sha256_hex(read_file(path)); }

}  // namespace tinynas
