#include "session/file_chooser.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace capstan {
namespace {

constexpr std::uint64_t bytes_max = std::uint64_t{128} << 20;  // in all
constexpr std::size_t files_max = 100;
constexpr std::size_t name_bytes_max = 255;

// Both run in a world of their own, whose names and changes to objects the page doesn't see.
constexpr std::string_view take_script = R"(function (id, piece, isFirst) {
  if (isFirst || !this.pieces) this.pieces = new Map();
  const pieces = this.pieces.get(id) ?? [];
  pieces.push(Uint8Array.fromBase64(piece));
  this.pieces.set(id, pieces);
})";
constexpr std::string_view choose_script = R"(function (...chosen) {
  const transfer = new DataTransfer();
  for (const { id, name } of chosen) transfer.items.add(new File(this.pieces.get(id), name));
  delete this.pieces;
  if (chosen.length === 0) {
    this.dispatchEvent(new Event('cancel', { bubbles: true }));
    return;
  }
  this.files = transfer.files;
  this.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  this.dispatchEvent(new Event('change', { bubbles: true }));
})";

bool is_name(std::string_view name) {
  bool has_control = std::any_of(name.begin(), name.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < ' ' || letter == '/' || letter == 0x7f;
  });
  return !name.empty() && name.size() <= name_bytes_max && !has_control && is_utf8(name);
}

}  // namespace

FileChooser::FileChooser(std::string id, bool takes_several, std::string frame, std::int64_t node,
                         Ask ask)
    : id_(std::move(id)),
      takes_several_(takes_several),
      frame_(std::move(frame)),
      node_(node),
      ask_(std::move(ask)) {}

Async<> FileChooser::call(std::string function, json::array arguments) {
  if (field_.empty()) {
    json::object world =
        co_await ask_("Page.createIsolatedWorld", {{"frameId", frame_}, {"worldName", "capstan"}});
    json::object resolved = co_await ask_(
        "DOM.resolveNode",
        {{"backendNodeId", node_},
         {"executionContextId", integer_at(world, "executionContextId").value_or(0)}});
    field_ = text_at(object_at(resolved, "object"), "objectId").value_or("");
  }
  json::array values;
  for (json::value& argument : arguments) {
    values.push_back(json::object{{"value", std::move(argument)}});
  }
  json::object called =
      co_await ask_("Runtime.callFunctionOn", {{"objectId", field_},
                                               {"functionDeclaration", std::move(function)},
                                               {"arguments", std::move(values)}});
  if (!called.contains("result") || called.contains("exceptionDetails")) {
    throw Error(ErrorCode::unavailable, "the page does not take the file");
  }
}

Async<std::string> FileChooser::take(FilePiece piece) {
  if (piece.is_first) {
    names_.clear();
    bytes_ = 0;
  }
  if (piece.file.empty()) {
    if (!is_name(piece.name)) {
      throw Error(ErrorCode::invalid_argument,
                  "name must be a file's name of up to 255 bytes, without a slash");
    }
    if (names_.size() >= files_max) {
      throw Error(ErrorCode::resource_exhausted, "more than 100 files can't be sent at once");
    }
    piece.file = std::to_string(++files_begun_);
    names_[piece.file] = piece.name;
  } else if (!names_.contains(piece.file)) {
    throw Error(ErrorCode::not_found, "there is no file " + std::string(clip_utf8(piece.file, 20)));
  }
  bytes_ += piece.bytes.size();
  if (bytes_ > bytes_max) {
    throw Error(ErrorCode::resource_exhausted, "more than 128 MiB can't be sent at once");
  }
  co_await call(std::string(take_script), {piece.file, encode_base64(piece.bytes), piece.is_first});
  co_return piece.file;
}

Async<> FileChooser::choose(std::vector<std::string> files) {
  if (files.size() > 1 && !takes_several_) {
    throw Error(ErrorCode::invalid_argument, "the page takes one file only");
  }
  json::array chosen;
  for (const std::string& file : files) {
    auto name = names_.find(file);
    if (name == names_.end()) {
      throw Error(ErrorCode::not_found, "there is no file " + std::string(clip_utf8(file, 20)));
    }
    chosen.push_back(json::object{{"id", file}, {"name", name->second}});
  }
  co_await call(std::string(choose_script), std::move(chosen));
}

}  // namespace capstan
