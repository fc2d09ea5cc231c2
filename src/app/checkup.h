#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/finding.h"
#include "browser/browsers.h"
#include "display/video_encoder.h"
#include "task/runners.h"

namespace capstan {

// Those parts of a server that a run needs, tried out as the server uses them: each kind of browser
// opens a page, a runner loads what tasks may import. Its owner awaits run(), once, which leaves no
// process behind.
class Checkup {
 public:
  // Throws when the temporary folder can't be used.
  Checkup(Executor executor, const Config& config);

  Async<std::vector<Finding>> run();

 private:
  Async<Finding> try_browser(BrowserKind kind, std::string setting, std::string program);
  Async<std::string> open_page(BrowserKind kind);
  Async<> show_page(Browser* browser);
  Finding check_sandbox() const;
  Finding check_screens() const;
  Async<Finding> try_encoder();
  Async<> encode_one(const I420Frame* frame, VideoSettings settings);
  Async<Finding> try_runner();
  Async<> start_runner();
  Finding check_isolation(CageKind kind) const;

  const Config config_;
  SystemClock clock_;
  Metrics metrics_;
  Workers workers_{1};
  WorkFolder work_folder_;
  Cage cage_;
  NodeRuntime runtime_;
  Browsers browsers_;
  Runners runners_;
};

}  // namespace capstan
