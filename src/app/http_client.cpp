#include "app/http_client.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <curl/curl.h>

#include "base/error.h"
#include "io/outcome.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t body_bytes_max = std::size_t{64} << 20;
constexpr long connect_seconds_max = 10;
// A server that has nothing to say writes a comment every 15 s.
constexpr long silence_seconds_max = 60;

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListFree>;

HeaderList to_list(const std::vector<Header>& headers) {
  // Without it, libcurl asks before it sends a long body, and waits.
  HeaderList list(curl_slist_append(nullptr, "Expect:"));
  for (const Header& header : headers) {
    curl_slist_append(list.get(), (header.name + ": " + header.value).c_str());
  }
  return list;
}

bool is_this_machine(std::string_view url) {
  auto parsed = boost::urls::parse_uri(url);
  return parsed && (parsed->host() == "localhost" || parsed->host() == "[::1]" ||
                    parsed->encoded_host().starts_with("127."));
}

// What libcurl's callback fills.
struct Receiver {
  CURL* curl;
  const BodySink& sink;
  HttpAnswer answer;
  Outcome<void> outcome;  // of the sink
};

std::size_t receive(const char* bytes, std::size_t, std::size_t count, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  long status = 0;
  curl_easy_getinfo(receiver.curl, CURLINFO_RESPONSE_CODE, &status);
  receiver.outcome = outcome_of_call([&] {
    if (receiver.sink && status == 200) {
      receiver.sink({bytes, count});
      return;
    }
    if (receiver.answer.body.size() + count > body_bytes_max) {
      throw Error(ErrorCode::resource_exhausted, "the server's answer is longer than 64 MiB");
    }
    receiver.answer.body.append(bytes, count);
  });
  return receiver.outcome.ok() ? count : 0;
}

Error to_error(CURLcode code, Duration took, const HttpCall& call) {
  std::string reason = curl_easy_strerror(code);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return Error(ErrorCode::invalid_argument,
                 call.url + " is no address: give one such as http://127.0.0.1:8700");
  }
  // libcurl says the same when it can't connect, and when the server shows no life.
  if (code == CURLE_OPERATION_TIMEDOUT && call.limit && took >= *call.limit) {
    return Error(ErrorCode::deadline_exceeded, "the time given has passed");
  }
  return Error(ErrorCode::unavailable, "can't reach " + call.url, reason);
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {
  if (handle_->curl == nullptr) {
    throw Error(ErrorCode::internal, "libcurl can't be used");
  }
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::send(const HttpCall& call, const BodySink& sink) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // keeps its connection
  HeaderList headers = to_list(call.headers);
  Receiver receiver{.curl = curl, .sink = sink, .answer = {}, .outcome = {}};
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  if (is_this_machine(call.url)) {
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  }
  if (call.limit) {
    // libcurl reckons in whole milliseconds, and so gives up to one too few.
    auto limit = std::chrono::ceil<std::chrono::milliseconds>(*call.limit) + 1ms;
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  }
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, silence_seconds_max);
  std::string method(to_text(call.method));
  if (call.method != Method::get) {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.c_str());
  }
  auto begin = std::chrono::steady_clock::now();
  CURLcode code = curl_easy_perform(curl);
  Duration took = std::chrono::steady_clock::now() - begin;
  std::move(receiver.outcome).take();
  if (code != CURLE_OK) {
    throw to_error(code, took, call);
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  receiver.answer.status = static_cast<int>(status);
  curl_header* id = nullptr;
  if (curl_easy_header(curl, "x-request-id", 0, CURLH_HEADER, -1, &id) == CURLHE_OK) {
    receiver.answer.request_id = id->value;
  }
  return std::move(receiver.answer);
}

std::string encode_percent(std::string_view text) {
  std::unique_ptr<char, decltype(&curl_free)> encoded(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), curl_free);
  return encoded ? encoded.get() : std::string();
}

}  // namespace capstan
