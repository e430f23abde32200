// jpeglib.h needs stdio.h before it.
#include <csetjmp>
#include <cstdio>
//
#include <jerror.h>
#include <jpeglib.h>

#include "data/data_file.h"
#include "data/image_file.h"

namespace tinynas {
namespace {

// libjpeg reports errors through callbacks; this one jumps back to decode().
struct JpegErrors {
  jpeg_error_mgr manager;  // first member: libjpeg hands us a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void fail(j_common_ptr jpeg) {
  auto* errors = reinterpret_cast<JpegErrors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors->message);
  std::longjmp(errors->jump, 1);
}

// libjpeg fills in what a damaged stream lacks and only warns. A half-grey picture must not be trained on, so
// warnings about the entropy-coded data count as errors; those about headers that change no pixel do not.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  fail(jpeg);
}

enum class Outcome { kDone, kDamaged, kTooLarge, kCmyk };

// No object with a destructor lives in this frame: longjmp would skip it. `image` belongs to the caller.
Outcome decode(jpeg_decompress_struct* jpeg, JpegErrors* errors, std::string_view bytes, RgbImage* image) {
  if (setjmp(errors->jump)) return Outcome::kDamaged;
  jpeg_mem_src(jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(jpeg, TRUE);
  if (int64_t{jpeg->image_width} * jpeg->image_height > kMaxPixels) return Outcome::kTooLarge;
  if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK) return Outcome::kCmyk;
  jpeg->out_color_space = JCS_RGB;
  jpeg->dct_method = JDCT_ISLOW;  // exact and the same on every machine
  jpeg_start_decompress(jpeg);
  image->width = static_cast<int>(jpeg->output_width);
  image->height = static_cast<int>(jpeg->output_height);
  const size_t row_bytes = size_t{jpeg->output_width} * 3;
  image->rgb.resize(row_bytes * jpeg->output_height);
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = image->rgb.data() + jpeg->output_scanline * row_bytes;
    jpeg_read_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_decompress(jpeg);
  return Outcome::kDone;
}

}  // namespace

RgbImage decode_jpeg(std::string_view bytes, const std::filesystem::path& path) {
  jpeg_decompress_struct jpeg{};
  JpegErrors errors{};
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = fail;
  errors.manager.emit_message = on_message;
  jpeg_create_decompress(&jpeg);
  RgbImage image;
  const Outcome outcome = decode(&jpeg, &errors, bytes, &image);
  const std::string size = std::to_string(jpeg.image_width) + " x " + std::to_string(jpeg.image_height);
  jpeg_destroy_decompress(&jpeg);
  switch (outcome) {
    case Outcome::kDone:
      break;
    case Outcome::kDamaged:
      throw bad_file(path, std::string("damaged JPEG image: ") + errors.message);
    case Outcome::kTooLarge:
      throw bad_file(
          path, "JPEG image of " + size + " pixels, more than " + std::to_string(kMaxPixels) + " in all");
    case Outcome::kCmyk:
      throw bad_file(path, "CMYK JPEG image; expected RGB or grey, so convert it first");
  }
  return image;
}

}  // namespace tinynas
