#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace capstan {

// Reads a body in chunks (RFC 9112, section 7.1); no I/O. Chunk extensions and trailers are read,
// within bounds, and dropped.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Takes bytes until the body is complete or refused, appends the decoded ones to `body`, and
  // returns how many it took.
  std::size_t feed(std::string_view bytes, std::string& body) { return read(bytes, &body); }
  // The same for a body that is only to be found the end of.
  std::size_t skip(std::string_view bytes) { return read(bytes, nullptr); }

  enum class State { reading, done, malformed, too_large };
  State state() const { return state_; }

 private:
  enum class Place { size, extension, size_end, chunk, chunk_cr, chunk_lf, trailer, trailer_lf };
  std::size_t read(std::string_view bytes, std::string* body);
  void take(char c);
  void take_size(char c);
  void end_size_line();
  void take_extension(char c);
  void take_trailer(char c);

  std::size_t body_bytes_max_;
  State state_ = State::reading;
  Place place_ = Place::size;
  std::uint64_t chunk_bytes_ = 0;  // still to come of this chunk
  std::size_t size_digits_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t overhead_bytes_ = 0;  // extensions of all chunks, or trailers
  std::size_t trailer_line_bytes_ = 0;
};

}  // namespace capstan
